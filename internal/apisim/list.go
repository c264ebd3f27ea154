package apisim

import (
	"net/http"
	"strconv"
)

// list answers a list endpoint. The caller holds the lock for reading.
func (s *Sim) list(b []byte, q *query, d *dice) []byte {
	t := &s.tables[q.stream.index()]
	skip, take := q.skip, q.take
	if s.semantics.IgnoreSkip {
		skip = 0
	}
	if s.semantics.LowerTake > 0 {
		take = min(take, s.semantics.LowerTake)
	}
	low, high := t.from(q.lower), t.from(q.upper)
	var page []int // places in t.records, in the answer's order
	var total int
	if q.filter.compile(s.world); q.filter.unfiltered {
		page, total = s.slice(t, low, high, skip, take, d)
	} else {
		page, total = s.scan(t, low, high, skip, take, &q.filter, d)
	}
	b = append(b, `{"success":true,"`...)
	b = append(b, q.stream...)
	b = append(b, `":[`...)
	for i, place := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendJSON(b, q.stream, &t.records[place])
	}
	b = append(b, `],"total":`...)
	b = strconv.AppendInt(b, int64(s.semantics.total(total, d)), 10)
	b = append(b, `,"skip":`...)
	b = strconv.AppendInt(b, int64(q.skip), 10)
	b = append(b, `,"take":`...)
	b = strconv.AppendInt(b, int64(q.take), 10)
	return append(b, '}')
}

// slice is the page of the records [low, high), newest first, without a look at
// any that is not on it (or shares a timestamp with one that is).
func (s *Sim) slice(t *table, low, high, skip, take int, d *dice) (page []int, total int) {
	if total = max(0, high-low); skip >= total {
		return nil, total
	}
	first := high - 1 - skip
	last := max(low, first-take+1)
	for place := first; place >= last; place-- {
		page = append(page, place)
	}
	if s.semantics.ShuffleTies {
		upper, lower := first, last
		for upper+1 < high && t.records[upper+1].at == t.records[first].at {
			upper++
		}
		for lower-1 >= low && t.records[lower-1].at == t.records[last].at {
			lower--
		}
		all := make([]int, 0, upper-lower+1)
		for place := upper; place >= lower; place-- {
			all = append(all, place)
		}
		shuffleTies(t, all, d)
		copy(page, all[upper-first:])
	}
	return page, total
}

// scan is the page of those records of [low, high) that match.
func (s *Sim) scan(t *table, low, high, skip, take int, f *filter, d *dice) (page []int, total int) {
	if f.nothing {
		return nil, 0
	}
	var all []int
	for place := high - 1; place >= low; place-- {
		r := &t.records[place]
		if r.flags&flagCustom != 0 {
			if !f.matchRow(t.custom[r.seq], s.world) {
				continue
			}
		} else if !f.match(r) {
			continue
		}
		if s.semantics.ShuffleTies {
			all = append(all, place)
		} else if total >= skip && len(page) < take {
			page = append(page, place)
		}
		total++
	}
	if s.semantics.ShuffleTies {
		shuffleTies(t, all, d)
		skip = min(skip, total)
		page = all[skip:min(total, skip+take)]
	}
	return page, total
}

// shuffleTies reorders each run of places whose records share a timestamp.
func shuffleTies(t *table, places []int, d *dice) {
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

// answerList checks a list request and answers it.
func (s *Sim) answerList(b []byte, target route, r *http.Request, d *dice) ([]byte, int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, problem := parseQuery(target, r.URL.Query(), &s.semantics)
	switch {
	case problem != "":
		return appendError(b, target.stream, problem), http.StatusBadRequest
	case target.byPolicy && !s.world.hasPolicy(target.policyID):
		return appendError(b, target.stream, "Policy not found"), http.StatusNotFound
	case q.filter.repoID != "" && !s.world.hasRepo(q.filter.repoID):
		return appendError(b, target.stream, "Repo not found"), http.StatusNotFound
	}
	return s.list(b, &q, d), http.StatusOK
}

// appendError spells the documented body of a refusal.
func appendError(b []byte, stream Stream, message string) []byte {
	b = append(b, `{"success":false,`...)
	if stream == Alerts || stream == Violations {
		b = append(b, '"')
		b = append(b, stream...)
		b = append(b, `":[],"total":0,"skip":0,"take":0,`...)
	}
	b = append(b, `"message":`...)
	return append(appendQuoted(b, message), '}')
}
