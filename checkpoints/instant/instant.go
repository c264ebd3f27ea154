// Package instant reads the timestamps of the API and writes those of its
// parameters.
//
// The walk that pages through the API and the decoder that fills the tables must
// agree on every timestamp to the microsecond, so both read them here. An
// instant is a count of microseconds since 1970-01-01 UTC.
//
// Accepted is ISO 8601 as RFC 3339 narrows it, and what writers in JavaScript, Java,
// Python and SQL are known to print beside it:
//
//   - any UTC offset: Z, z, +02:00, +0200 or +02; a missing one is read as UTC
//   - T, t or a space between date and time; a date alone is its midnight, UTC
//   - a time without seconds, as Java prints a whole minute: 10:30Z
//   - a fraction after a point or a comma, of any length: digits finer than a
//     microsecond are cut off, never rounded
//   - 24:00:00, the midnight that ends the day
//   - a leap second, 23:59:60 in UTC: read as the first second of the next day, as Unix
//     time counts it. Any other second 60 is refused
//   - an expanded year of four digits, +002024, as JavaScript prints; years beyond 9999
//     and before 0 (+010000, -000001) are refused
//
// Everything else is refused: a name of a zone ([Europe/Berlin], UTC, GMT), weekdays and
// names of months, the basic format without separators, weeks and days of the year, and
// numbers of seconds.
package instant

import "time"

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

// Parse reads a timestamp. It reports false for what is not one.
func Parse[Bytes ~[]byte | ~string](s Bytes) (Micros, bool) {
	const date = len("2006-01-02")
	s, ok := fourDigitYear(s)
	if !ok || len(s) < date || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, month, day := 100*digits(s[0], s[1])+digits(s[2], s[3]), digits(s[5], s[6]), digits(s[8], s[9])
	if year > 9999 {
		return 0, false
	}
	midnight := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if _, m, d := midnight.Date(); int(m) != month || d != day { // there is no such day
		return 0, false
	}
	if len(s) == date {
		return Of(midnight), true
	}
	if s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return 0, false
	}
	since, ok := clock(s[date+1:])
	return Of(midnight) + since, ok
}

// fourDigitYear cuts an expanded year, +002024 as JavaScript writes years beyond 9999,
// down to the four digits of those that are not.
func fourDigitYear[Bytes ~[]byte | ~string](s Bytes) (Bytes, bool) {
	if len(s) == 0 || s[0] != '+' {
		return s, true
	}
	if len(s) < len("+002024") || s[1] != '0' || s[2] != '0' {
		return s, false
	}
	return s[3:], true
}

// clock reads the time of the day and its offset: how long after midnight, UTC.
func clock[Bytes ~[]byte | ~string](s Bytes) (Micros, bool) {
	const minutes, seconds = len("15:04"), len("15:04:05")
	if len(s) < minutes || s[2] != ':' {
		return 0, false
	}
	hour, minute, second := digits(s[0], s[1]), digits(s[3], s[4]), 0
	micros, read := Micros(0), minutes
	if len(s) > minutes && s[minutes] == ':' {
		if len(s) < seconds {
			return 0, false
		}
		second = digits(s[6], s[7])
		micros, read = fraction(s[seconds:])
		read += seconds
	}
	offset, ok := offset(s[read:])
	since := Micros(hour*3600+minute*60+second-offset)*Second + micros
	switch {
	case !ok || minute > 59:
		return 0, false
	case hour == 24: // the end of the day
		return since, minute == 0 && second == 0 && micros == 0
	case second == 60: // a leap second is the last of a day, in UTC
		return since, hour <= 23 && since.Floor(Second)%Day == 0
	}
	return since, hour <= 23 && second <= 59
}

// digits is the number that two digits make, or one above all numbers that a part
// of a timestamp may be.
func digits(tens, ones byte) int {
	tens, ones = tens-'0', ones-'0'
	if tens > 9 || ones > 9 {
		return 1e6
	}
	return int(tens)*10 + int(ones)
}

// fraction reads an optional fraction of a second, and how many bytes it takes. A
// separator without digits takes none, and so remains as what fits nowhere.
func fraction[Bytes ~[]byte | ~string](s Bytes) (micros Micros, read int) {
	if len(s) < 2 || (s[0] != '.' && s[0] != ',') || s[1]-'0' > 9 {
		return 0, 0
	}
	unit := Second
	for read = 1; read < len(s) && s[read]-'0' <= 9; read++ {
		unit /= 10
		micros += Micros(s[read]-'0') * unit
	}
	return micros, read
}

// offset reads an optional UTC offset, up to the end, in seconds east.
func offset[Bytes ~[]byte | ~string](s Bytes) (seconds int, ok bool) {
	if len(s) == 0 || (len(s) == 1 && (s[0] == 'Z' || s[0] == 'z')) {
		return 0, true
	}
	if len(s) < 3 || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hours, minutes := digits(s[1], s[2]), 0
	switch {
	case len(s) == len("+0200"):
		minutes = digits(s[3], s[4])
	case len(s) == len("+02:00") && s[3] == ':':
		minutes = digits(s[4], s[5])
	case len(s) != len("+02"):
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, hours <= 23 && minutes <= 59
}
