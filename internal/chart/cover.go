package chart

import (
	"cmp"
	"slices"
	"time"
)

// Range is [From, To), in UTC.
type Range struct{ From, To time.Time }

// Cover is what one ledger vouches for. Both lists are sorted and do not overlap.
type Cover struct {
	Name          string
	Covered, Lost []Range
}

// State is how much of a stretch of time is covered by the ledgers that reach
// over it.
type State string

// States, in the order in which they are drawn upon each other.
const (
	Full State = "covered"
	Part State = "partly covered"
	Lost State = "lost"
	None State = "gap"
)

// piece is a stretch in which nothing changes. Gaps and losts count the ledgers
// that have one there.
type piece struct {
	Range
	State              State
	full, gaps, losses int
}

// merge lays ledgers upon each other. A ledger counts from its first instant to
// its last one: what lies before and after it is no gap.
func merge(covers []Cover) (all []piece) {
	type event struct {
		at                 time.Time
		full, lost, within int
	}
	var events []event
	for _, c := range covers {
		for _, r := range c.Covered {
			events = append(events, event{at: r.From, full: 1}, event{at: r.To, full: -1})
		}
		for _, r := range c.uncovered() {
			events = append(events, event{at: r.From, lost: 1}, event{at: r.To, lost: -1})
		}
		if r, ok := c.extent(); ok {
			events = append(events, event{at: r.From, within: 1}, event{at: r.To, within: -1})
		}
	}
	slices.SortFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	var now event
	for i, e := range events {
		now.full, now.lost, now.within = now.full+e.full, now.lost+e.lost, now.within+e.within
		if i+1 == len(events) || !events[i+1].at.After(e.at) || now.within <= 0 {
			continue
		}
		p := piece{Range: Range{e.at, events[i+1].at}, full: now.full, losses: now.lost, gaps: max(0, now.within-now.full-now.lost)}
		p.State = stateOf(p)
		if last := len(all) - 1; last >= 0 && all[last].To.Equal(p.From) && all[last].same(p) {
			all[last].To = p.To
		} else {
			all = append(all, p)
		}
	}
	return all
}

func (p piece) same(q piece) bool {
	return p.State == q.State && p.gaps == q.gaps && p.losses == q.losses && p.full == q.full
}

func stateOf(p piece) State {
	switch {
	case p.full > 0 && p.gaps+p.losses == 0:
		return Full
	case p.full > 0:
		return Part
	case p.gaps > 0:
		return None
	}
	return Lost
}

// uncovered are the lost ranges without what is covered after all.
func (c Cover) uncovered() (all []Range) {
	for _, lost := range c.Lost {
		at := lost.From
		for _, r := range c.Covered {
			if !r.To.After(at) || !r.From.Before(lost.To) {
				continue
			}
			if r.From.After(at) {
				all = append(all, Range{at, r.From})
			}
			at = r.To
		}
		if at.Before(lost.To) {
			all = append(all, Range{at, lost.To})
		}
	}
	return all
}

func (c Cover) extent() (r Range, ok bool) {
	for _, part := range slices.Concat(c.Covered, c.Lost) {
		if !ok || part.From.Before(r.From) {
			r.From = part.From
		}
		if !ok || part.To.After(r.To) {
			r.To = part.To
		}
		ok = true
	}
	return r, ok && r.To.After(r.From)
}

// extremes of all ledgers, for the range that a chart shows.
func extremes(covers []Cover) (r Range, ok bool) {
	for _, c := range covers {
		of, some := c.extent()
		switch {
		case !some:
		case !ok:
			r, ok = of, true
		default:
			r = Range{earlier(r.From, of.From), later(r.To, of.To)}
		}
	}
	return r, ok
}

// longest first.
func byLength(a, b Range) int { return cmp.Compare(seconds(b.From, b.To), seconds(a.From, a.To)) }
