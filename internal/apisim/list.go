package apisim

import (
	"fmt"
	"net/http"
)

// answerList checks a list request and answers it.
func (s *Sim) answerList(target route, r *http.Request, d *dice) ([]byte, int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, problem := parseQuery(target, r.URL.Query(), &s.semantics)
	switch {
	case problem != "":
		return errorBody(target.stream, problem), http.StatusBadRequest
	case target.byPolicy && !s.world.hasPolicy(target.policyID):
		return errorBody(target.stream, "Policy not found"), http.StatusNotFound
	case q.filter.repoID != "" && !s.world.hasRepo(q.filter.repoID):
		return errorBody(target.stream, "Repo not found"), http.StatusNotFound
	}
	return s.list(&q, d), http.StatusOK
}

// list answers a list endpoint. The caller has the lock for reading.
func (s *Sim) list(q *query, d *dice) []byte {
	t, m := &s.tables[q.stream.index()], &s.semantics
	skip, take := q.skip, q.take
	if m.IgnoreSkip {
		skip = 0
	}
	if m.LowerTake > 0 {
		take = min(take, m.LowerTake)
	}
	page, total := s.page(t, q, skip, take, d)
	b := fmt.Appendf(make([]byte, 0, 64<<10), `{"success":true,%q:[`, q.stream)
	listed := 0
	for _, place := range page {
		row := s.expand(q.stream, &t.records[place])
		if row.Withheld {
			continue
		}
		if listed++; listed > 1 {
			b = append(b, ',')
		}
		b = row.appendJSON(b, q.stream, m.Digits)
	}
	return fmt.Appendf(b, `],"total":%d,"skip":%d,"take":%d}`, m.total(total, d), q.skip, q.take)
}

// page gives the places of the records on a page, the newest first, and how many match.
// Without a filter it looks at no others, since a history may have millions.
func (s *Sim) page(t *table, q *query, skip, take int, d *dice) (places []int, total int) {
	low, high := t.from(q.lower), t.from(q.upper)
	if q.filter.closed(s.world) {
		return nil, 0
	}
	all := q.filter.isEmpty()
	if all && !s.semantics.ShuffleTies {
		for place := high - 1 - skip; place >= max(low, high-skip-take); place-- {
			places = append(places, place)
		}
		return places, max(0, high-low)
	}
	for place := high - 1; place >= low; place-- {
		if all || s.matches(&q.filter, q.stream, &t.records[place]) {
			places = append(places, place)
		}
	}
	if s.semantics.ShuffleTies {
		t.shuffleTies(places, d)
	}
	total = len(places)
	return places[min(skip, total):min(skip+take, total)], total
}

// shuffleTies reorders each run of places whose records share a timestamp.
func (t *table) shuffleTies(places []int, d *dice) {
	for start := 0; start < len(places); {
		stop := start + 1
		for stop < len(places) && t.records[places[stop]].at == t.records[places[start]].at {
			stop++
		}
		run := places[start:stop]
		for i := len(run) - 1; i > 0; i-- {
			j := d.intn(i + 1)
			run[i], run[j] = run[j], run[i]
		}
		start = stop
	}
}

// total is what the answer claims when exact rows match.
func (m *Semantics) total(exact int, d *dice) int {
	claimed := exact + m.TotalOffset
	if m.TotalRandom > 0 {
		claimed += d.intn(2*m.TotalRandom+1) - m.TotalRandom
	}
	if m.TotalCap > 0 {
		claimed = min(claimed, m.TotalCap)
	}
	return max(0, claimed)
}
