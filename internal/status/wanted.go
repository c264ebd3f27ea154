package status

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
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
// begins if start is zero; nil if it is not. What is lost or has expired is no gap.
func (l *Lane) whole(start time.Time) *time.Time {
	if expired, ok := l.Expired.Extent(); ok && !start.IsZero() && expired.To.After(start) {
		start = expired.To
	}
	extent, ok := l.Covered.Extent()
	if !ok || !extent.To.After(start) || !start.IsZero() && extent.From.After(start) {
		return nil
	}
	for _, gap := range l.Gaps() {
		if gap.Contains(start) {
			return nil
		}
		if gap.From.After(start) {
			return &gap.From
		}
	}
	return &extent.To
}

// Gaps are the holes between covered times. What the source lost, and what has expired, is
// none.
func (l *Lane) Gaps() checkpoints.Set {
	extent, _ := l.Covered.Extent()
	return checkpoints.Of(extent).Subtract(l.Covered).Subtract(l.Lost).Subtract(l.Expired)
}

// Gaps are those of every filter set, as they are in the ledger.
func (s *Stream) Gaps() (gaps []checkpoints.Interval) {
	for _, lane := range s.Lanes {
		gaps = append(gaps, lane.Gaps()...)
	}
	return gaps
}

// Lost are the ranges that the source can no longer give.
func (s *Stream) Lost() (lost []checkpoints.Interval) {
	for _, lane := range s.Lanes {
		lost = append(lost, lane.Lost...)
	}
	return lost
}
