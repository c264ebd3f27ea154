package transform

import "time"

// Span is the half-open range of time [From, To), in UTC.
type Span struct{ From, To time.Time }

// Range is the span of the buckets that lie completely in the answer's range. It is
// empty if there are none.
func (s Series) Range() Span {
	begin, end := s.bounds()
	from := begin.Truncate(s.Length)
	if from.Before(begin) {
		from = from.Add(s.Length)
	}
	return Span{From: from, To: end.Truncate(s.Length)}
}

// bounds are the first and the last instant that the answer's figures include.
// A range that is longer than its window was rounded outwards: its first bucket is
// then in doubt, and counts as cut off.
func (s Series) bounds() (begin, end time.Time) {
	end = s.Now
	if !s.End.IsZero() && s.End.Before(end) {
		end = s.End
	}
	begin = s.Start
	if reach := end.Add(-s.Reach); reach.After(begin) {
		begin = reach
	}
	return begin, end
}
