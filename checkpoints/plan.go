package checkpoints

import "time"

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
