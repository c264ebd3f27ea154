// Package span writes lengths of time for people: the same one in the same words
// on the page, in the report, on a terminal and in a message.
package span

import (
	"math"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

const day = 24 * time.Hour

// Words writes a length of time in its two largest units: 3 d 4 h, 12 min, 1.5 s.
func Words(d time.Duration) string {
	switch {
	case d < 0:
		return "−" + Words(-max(d, -math.MaxInt64))
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return humanize.Ftoa(math.Round(d.Seconds()*10)/10) + " s"
	}
	units := []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		text := humanize.Comma(int64(d/u.size)) + " " + u.name
		if i+1 < len(units) && d < 100*u.size {
			if rest := d % u.size / units[i+1].size; rest > 0 {
				text += " " + strconv.FormatInt(int64(rest), 10) + " " + units[i+1].name
			}
		}
		return text
	}
	return "0 s"
}

// Rough writes it to the minute, or less exactly the longer it is.
func Rough(d time.Duration) string {
	switch {
	case d < 2*day:
		return Words(d.Truncate(time.Minute))
	case d < 60*day:
		return many(d/day, "day")
	case d < 2*365*day:
		return many(d/(30*day), "month")
	}
	return many(d/(365*day), "year")
}

// Ago writes how long ago an instant was, roughly.
func Ago(now, then time.Time) string {
	d := now.Sub(then)
	if -time.Minute <= d && d < time.Minute {
		return "just now"
	}
	words := Rough(max(d, -d, 0))
	if d < 0 {
		return "in " + words
	}
	return words + " ago"
}

// many is two or more.
func many(n time.Duration, of string) string { return humanize.Comma(int64(n)) + " " + of + "s" }
