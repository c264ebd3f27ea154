package apisim

import (
	"cmp"
	"math"
	"slices"
)

// seriesPoint is a bucket of a statistics series.
type seriesPoint struct {
	TS         int64  `json:"ts"` // Unix seconds of the bucket's start
	Violations int64  `json:"violations"`
	Alerts     int64  `json:"alerts"`
	Blocks     int64  `json:"blocks"`
	Low        int64  `json:"severityLow"`
	Medium     int64  `json:"severityMedium"`
	High       int64  `json:"severityHigh"`
	TokensIn   int64  `json:"policyTokensIn"`
	TokensOut  int64  `json:"policyTokensOut"`
	EntityID   string `json:"entityId,omitempty"`
}

// series counts the rows of (start, end] by bucket. Buckets begin at multiples of
// their size, so the first is cut off at the window's start, unless that is such a
// multiple, and the last is still open at its end. Unknown ids cover no rows.
func (s *Sim) series(q *statsQuery) []seriesPoint {
	first := floorTo(q.start, q.size)
	points := make([]seriesPoint, (floorTo(q.end, q.size)-first)/q.size+1)
	for i := range points {
		points[i].TS, points[i].EntityID = first+int64(i)*q.size, cmp.Or(q.ruleID, q.keyID)
	}
	f := filter{ruleID: q.ruleID, keyID: q.keyID}
	switch q.scope {
	case "workspace":
		f.workspaceID = q.id
	case "repo":
		f.repoID = q.id
	}
	if f.closed(s.world) {
		return points
	}
	all := f.isEmpty()
	for _, stream := range []Stream{Alerts, Violations} {
		t := &s.tables[stream.index()]
		low, high := t.from(q.start*microsPerSecond), t.from(s.now.UnixMicro()+1)
		for i := low; i < high; i++ {
			r := &t.records[i]
			if row := s.outline(stream, r); all || f.match(s.world, r, &row) {
				points[(r.at/microsPerSecond-first)/q.size].count(stream, r, &row)
			}
		}
	}
	return points
}

func (p *seriesPoint) count(stream Stream, r *record, row *Row) {
	tokens := mix(uint64(r.seq) + uint64(r.flags)<<32)
	p.TokensIn += 180 + int64(tokens%1600)
	p.TokensOut += 20 + int64(tokens>>32%160)
	if stream == Alerts {
		p.Alerts++
		return
	}
	p.Violations++
	switch deref(row.Severity) {
	case "LOW":
		p.Low++
	case "MEDIUM":
		p.Medium++
	case "HIGH":
		p.High++
	}
	if deref(row.Block) {
		p.Blocks++
	}
}

// summary describes the violations per bucket: the deviation is that of the population,
// percentiles are interpolated.
type summary struct {
	Total     int64   `json:"total"`
	Average   float64 `json:"avg"`
	Deviation float64 `json:"stdDev"`
	Min       int64   `json:"min"`
	Max       int64   `json:"max"`
	P10       float64 `json:"p10"`
	P50       float64 `json:"p50"`
	P90       float64 `json:"p90"`
}

func summarise(points []seriesPoint) (s summary) {
	counts := make([]int64, len(points))
	for i := range points {
		counts[i] = points[i].Violations
		s.Total += counts[i]
	}
	slices.Sort(counts)
	n := float64(len(counts))
	s.Min, s.Max, s.Average = counts[0], counts[len(counts)-1], float64(s.Total)/n
	squares := 0.0
	for _, count := range counts {
		squares += (float64(count) - s.Average) * (float64(count) - s.Average)
	}
	s.Deviation = math.Sqrt(squares / n)
	s.P10, s.P50, s.P90 = percentile(counts, 0.1), percentile(counts, 0.5), percentile(counts, 0.9)
	return s
}

// percentile interpolates between the two nearest of the sorted counts.
func percentile(counts []int64, share float64) float64 {
	place := share * float64(len(counts)-1)
	below := int(place)
	above := min(below+1, len(counts)-1)
	return float64(counts[below]) + (place-float64(below))*float64(counts[above]-counts[below])
}
