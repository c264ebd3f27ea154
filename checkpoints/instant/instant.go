// Package instant reads the timestamps of the API and writes those of its
// parameters.
//
// The walk that pages through the API and the decoder that fills the tables must
// agree on every timestamp to the microsecond, so both read them here. An
// instant is a count of microseconds since 1970-01-01 UTC.
//
// Accepted is ISO 8601 as RFC 3339 narrows it, and what writers in JavaScript, Java,
// Python and SQL are known to print beside it; the data dictionary lists the forms. Digits
// finer than a microsecond are cut off, never rounded. A leap second, 23:59:60 in UTC, is
// read as the first second of the next day, as Unix time counts it.
//
// Everything else is refused: years beyond 9999 and before 0, a name of a zone
// ([Europe/Berlin], UTC, GMT), weekdays and names of months, the basic format without
// separators, weeks and days of the year, and numbers of seconds.
package instant

import (
	"strings"
	"time"
)

// Micros is an instant: microseconds since 1970-01-01T00:00:00Z.
type Micros int64

const (
	// Millisecond, Second and Day are durations in the unit of Micros.
	Millisecond Micros = 1e3
	Second      Micros = 1e6
	Day         Micros = 86400e6
)

// Of is the instant of a time, cut to the microsecond.
func Of(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time is the instant as a time in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Floor cuts the instant down to a multiple of unit, also before 1970.
func (m Micros) Floor(unit Micros) Micros {
	rest := m % unit
	if rest < 0 {
		rest += unit
	}
	return m - rest
}

// Format writes the instant for a query parameter, in milliseconds:
// 2024-01-15T10:30:00.000Z.
func (m Micros) Format() string { return m.Time().Format("2006-01-02T15:04:05.000Z") }

// layouts are the forms of a date with a time. The first one is the usual one.
var layouts = func() (all []string) {
	for _, clock := range []string{"15:04:05", "15:04"} {
		for _, zone := range []string{"Z07:00", "", "Z0700", "Z07"} {
			all = append(all, "2006-01-02T"+clock+zone)
		}
	}
	return all
}()

// Parse reads a timestamp. It reports false for what is not one.
func Parse[Bytes ~[]byte | ~string](s Bytes) (Micros, bool) {
	const date, minutes, seconds = len("2006-01-02"), len("2006-01-02T15:04"), len("2006-01-02T15:04:05")
	text := strings.TrimPrefix(strings.ToUpper(string(s)), "+00") // of an expanded year
	if len(text) == date {
		at, err := time.Parse(time.DateOnly, text)
		return Of(at), err == nil
	}
	if len(text) < minutes || text[13] != ':' { // package time also reads hours of one digit
		return 0, false
	}
	if text[date] == ' ' {
		text = text[:date] + "T" + text[date+1:]
	}
	ended := text[11:13] == "24"
	if ended {
		text = text[:11] + "00" + text[13:]
	}
	leap := len(text) >= seconds && text[16:19] == ":60"
	if leap {
		text = text[:16] + ":59" + text[19:]
	}
	if sign := strings.LastIndexAny(text, "+-"); sign >= minutes { // package time takes 24 hours and 60 minutes
		if offset := strings.ReplaceAll(text[sign+1:], ":", ""); offset >= "24" || len(offset) == 4 && offset[2:] >= "60" {
			return 0, false
		}
	}
	for _, layout := range layouts {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		hour, minute, second := at.Clock()
		switch {
		case ended:
			return Of(at) + Day, hour+minute+second+at.Nanosecond() == 0
		case leap: // the last second of a day, in UTC
			return Of(at) + Second, (Of(at)+Second).Floor(Second)%Day == 0
		}
		return Of(at), true
	}
	return 0, false
}
