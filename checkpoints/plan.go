package checkpoints

import (
	"time"
)

// Plan is what a run wants of one stream and filter set.
type Plan struct {
	Wanted   Interval      // history from the configured start up to the source's now
	Lookback time.Duration // how much before Wanted.To is read again although it is covered
	Kept     time.Time     // nothing before it is read: it has expired; zero if nothing has
}

// Due is what must be read: the wanted range that is not covered, and the
// lookback, without what has expired. Both bounds are widened to whole seconds, so
// that a source which keeps seconds only gives the same rows; Kept is one.
func (p Plan) Due(covered Set) Set {
	again := Interval{From: later(p.Wanted.From, p.lookFrom(covered)), To: p.Wanted.To}
	due := widen(Of(p.Wanted).Subtract(covered).Union(Of(again)))
	_, due = due.Split(p.Kept)
	return due
}

// lookFrom is where the lookback begins. After a downtime it would not reach
// what was late at the last watermark, so it then begins half a lookback before that.
// A run within half a lookback of the one before pays nothing for this.
func (p Plan) lookFrom(covered Set) time.Time {
	begin := p.Wanted.To.Add(-p.Lookback)
	if len(covered) == 0 {
		return begin
	}
	return earlier(begin, covered[len(covered)-1].To.Add(-p.Lookback/2))
}

func widen(s Set) Set {
	out := make([]Interval, len(s))
	for i, interval := range s {
		to := interval.To.Truncate(time.Second)
		if to.Before(interval.To) {
			to = to.Add(time.Second)
		}
		out[i] = Interval{From: interval.From.Truncate(time.Second), To: to}
	}
	return Of(out...)
}

// Window is a relative range of time that the statistics endpoint can be asked
// for. There is no other way to reach back.
type Window struct {
	Name   string
	Length time.Duration
}

const day = 24 * time.Hour

// Windows are all windows, the smallest first.
func Windows() []Window {
	return []Window{
		{"24h", day},
		{"7d", 7 * day},
		{"30d", 30 * day},
		{"90d", 90 * day},
		{"180d", 180 * day},
		{"365d", 365 * day},
	}
}

// Reaching lists the windows to try, in order: the smallest that reaches back
// from now to since, or the largest if none does; then those below it, since a
// source may refuse a window.
func Reaching(now, since time.Time) []Window {
	windows := Windows()
	best := 0
	for best < len(windows)-1 && now.Add(-windows[best].Length).After(since) {
		best++
	}
	var tries []Window
	for i := best; i >= 0; i-- {
		tries = append(tries, windows[i])
	}
	return tries
}
