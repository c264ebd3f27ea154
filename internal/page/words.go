package page

import (
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

// moment is an instant beside how long ago it was.
type moment struct {
	At  time.Time
	Ago string
}

// moment is nil for a time that is not known.
func (v *view) moment(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	return &moment{At: t, Ago: span.Ago(v.At, t)}
}

func (v *view) maybe(t *time.Time) *moment {
	if t == nil {
		return nil
	}
	return v.moment(*t)
}

// clock writes an instant to the minute; the page says once that it is UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// iso writes an instant for machines.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// count writes a number and its noun.
func count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + english.PluralWord(2, one, "")
}

// sentence begins with a capital, unless it begins with something quoted.
func sentence(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// large writes a number that may be too long to be read, exactly below a billion.
func large(n int64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e18, "quintillion"}, {1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}} {
		if float64(n) >= unit.size {
			return humanize.FtoaWithDigits(float64(n)/unit.size, 1) + " " + unit.name
		}
	}
	return comma(n)
}

// percent of a part, "" of nothing.
func percent(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	return chart.Shares.Words(int64(math.Round(float64(part) / float64(whole) * 1e4)))
}
