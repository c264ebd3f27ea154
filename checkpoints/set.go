package checkpoints

import (
	"slices"
	"time"
)

// Set is a set of instants: intervals in order of time that neither touch nor
// overlap. The zero value is the empty set. Operations return new sets and leave
// their operands alone.
type Set []Interval

// Of is the union of intervals in any order.
func Of(intervals ...Interval) Set {
	sorted := slices.DeleteFunc(slices.Clone(intervals), Interval.Empty)
	slices.SortFunc(sorted, func(a, b Interval) int { return a.From.Compare(b.From) })
	var out Set
	for _, next := range sorted {
		if last := len(out) - 1; last >= 0 && !next.From.After(out[last].To) {
			out[last].To = later(out[last].To, next.To)
			continue
		}
		out = append(out, next)
	}
	return out
}

// Union is what is in either set.
func (s Set) Union(o Set) Set { return Of(append(slices.Clone(s), o...)...) }

// Subtract is what is in s and not in o.
func (s Set) Subtract(o Set) Set {
	var out Set
	for _, keep := range s {
		for _, cut := range o {
			if keep.Intersect(cut).Empty() {
				continue
			}
			if head := (Interval{From: keep.From, To: cut.From}); !head.Empty() {
				out = append(out, head)
			}
			keep.From = cut.To
		}
		if !keep.Empty() {
			out = append(out, keep)
		}
	}
	return out
}

// Intersect is what is in both sets.
func (s Set) Intersect(o Set) Set { return s.Subtract(s.Subtract(o)) }

// Split cuts the set in two at an instant: what is before it, and the rest.
func (s Set) Split(at time.Time) (before, after Set) {
	for _, i := range s {
		if head := (Interval{From: i.From, To: earlier(i.To, at)}); !head.Empty() {
			before = append(before, head)
		}
		if tail := (Interval{From: later(i.From, at), To: i.To}); !tail.Empty() {
			after = append(after, tail)
		}
	}
	return before, after
}

// Covers reports whether all of the interval is in the set.
func (s Set) Covers(i Interval) bool { return len(Of(i).Subtract(s)) == 0 }

// Contains reports whether the instant is in the set.
func (s Set) Contains(t time.Time) bool {
	return slices.ContainsFunc(s, func(i Interval) bool { return i.Contains(t) })
}

// Extent is the smallest interval that contains the set; ok is false if it is empty.
func (s Set) Extent() (extent Interval, ok bool) {
	if len(s) == 0 {
		return Interval{}, false
	}
	return Interval{From: s[0].From, To: s[len(s)-1].To}, true
}

// Duration is the total length of the set's intervals.
func (s Set) Duration() time.Duration {
	var total time.Duration
	for _, i := range s {
		total += i.Duration()
	}
	return total
}
