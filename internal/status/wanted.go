package status

import (
	"encoding/json"
	"slices"
	"time"
)

// completeTo is the time up to which every query is covered without a gap, by the
// published ledger; nil if one is not covered from its start.
func (s *Stream) completeTo() (to *time.Time) {
	lane := map[string]*Lane{}
	for i := range s.Lanes {
		lane[s.Lanes[i].Filter] = &s.Lanes[i]
	}
	for _, filter := range s.filters() {
		if lane[filter] == nil {
			return nil
		}
		end := lane[filter].whole(s.Wanted.Start)
		if end == nil {
			return nil
		}
		if to == nil || end.Before(*to) {
			to = end
		}
	}
	return to
}

// filters are those of the queries that are wanted, of the ledger where nobody says.
func (s *Stream) filters() []string {
	filters := slices.Clone(s.Wanted.Filters)
	for _, lane := range s.Lanes {
		seen := func(series string) bool { return withoutID(series) == withoutID(lane.Filter) }
		if s.Wanted.Digest == "" || slices.ContainsFunc(s.Wanted.Auto, seen) {
			filters = append(filters, lane.Filter)
		}
	}
	return filters
}

// withoutID is the filter of a series without the id of its repository.
func withoutID(filter string) string {
	var terms map[string]any
	if json.Unmarshal([]byte(filter), &terms) != nil {
		return filter
	}
	delete(terms, "id")
	out, err := json.Marshal(terms) // sorted by name
	if err != nil {
		return filter
	}
	return string(out)
}

// whole is the time up to which the lane is covered from start on, or from where it
// begins if start is zero; nil if it is not. What is lost is no gap.
func (l *Lane) whole(start time.Time) *time.Time {
	first := slices.IndexFunc(l.Covered, func(s Span) bool { return s.To.After(start) })
	if first < 0 || !start.IsZero() && l.Covered[first].From.After(start) {
		return nil
	}
	to := l.Covered[first].To
	for _, next := range l.Covered[first+1:] {
		if !l.lost(Span{From: to, To: next.From}) {
			break
		}
		to = next.To
	}
	return &to
}
