package checkpoints

import "time"

// Plan says what a run wants of one stream and filter set.
type Plan struct {
	Wanted   Interval      // history from the configured start up to the source's now
	Lookback time.Duration // how much before Wanted.To is read again although it is covered
}

// Due is what must be read: the wanted range that is not covered, and the
// lookback. Both bounds are widened to whole seconds, so that a source which
// keeps seconds only gives the same rows.
func (p Plan) Due(covered Set) Set {
	due := Of(p.Wanted).Subtract(covered)
	again := Interval{From: later(p.Wanted.From, p.Wanted.To.Add(-p.Lookback)), To: p.Wanted.To}
	return widen(due.Union(Of(again)))
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
