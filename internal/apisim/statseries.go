package apisim

import (
	"slices"
	"strconv"
)

// point is a bucket of a statistics series.
type point struct {
	ts                         int64 // Unix seconds of the bucket's start
	violations, alerts, blocks int64
	severity                   [4]int64 // by place in severities; the first is not shown
	tokensIn, tokensOut        int64
}

func (p *point) empty() bool { return p.violations == 0 && p.alerts == 0 }

// series counts the rows of (start, end] by bucket. Buckets lie on multiples of
// their size, so the first is cut off at the window's start, unless that falls
// on one, and the last is still open at its end.
func (s *Sim) series(q *statsQuery) []point {
	first := floorTo(q.start, q.size)
	points := make([]point, (floorTo(q.end, q.size)-first)/q.size+1)
	for i := range points {
		points[i].ts = first + int64(i)*q.size
	}
	include := s.statsFilter(q)
	for _, stream := range []Stream{Alerts, Violations} {
		t := &s.tables[stream.index()]
		low, high := t.from(q.start*microsPerSecond), t.from(s.now.UnixMicro()+1)
		for i := low; i < high; i++ {
			r := &t.records[i]
			if include(stream, r) {
				p := &points[(r.at/microsPerSecond-first)/q.size]
				s.count(p, stream, r)
			}
		}
	}
	return points
}

func (s *Sim) count(p *point, stream Stream, r *record) {
	tokens := mix(uint64(r.seq) + uint64(r.flags)<<32)
	p.tokensIn += 180 + int64(tokens%1600)
	p.tokensOut += 20 + int64(tokens>>32%160)
	if stream == Alerts {
		p.alerts++
		return
	}
	p.violations++
	severity, block := r.flags&severityBits, r.flags&flagBlock != 0
	if r.flags&flagCustom != 0 {
		row := s.tables[stream.index()].custom[r.seq]
		severity, block = 0, row.Block != nil && *row.Block
		if row.Severity != nil {
			severity = uint8(max(0, slices.Index(severities[:], *row.Severity)))
		}
	}
	p.severity[severity]++
	if block {
		p.blocks++
	}
}

// statsFilter tells which records the request covers. Unknown ids cover none.
func (s *Sim) statsFilter(q *statsQuery) func(Stream, *record) bool {
	var f filter
	switch q.scope {
	case "workspace":
		f.workspaceID = q.id
	case "repo":
		f.repoID = q.id
	}
	f.compile(s.world)
	if f.unfiltered && q.ruleID == "" && q.keyID == "" {
		return func(Stream, *record) bool { return true }
	}
	return func(stream Stream, r *record) bool {
		if f.nothing {
			return false
		}
		if r.flags&flagCustom != 0 {
			row := s.tables[stream.index()].custom[r.seq]
			return f.matchRow(row, s.world) && matches(q.keyID, row.RepoAIAPIKeyID) &&
				matches(q.ruleID, s.ruleOf(row.PolicyID, r))
		}
		return f.match(r) && matches(q.keyID, s.world.APIKeys[r.key].ID) &&
			matches(q.ruleID, pickRule(s.world.Policies[r.policy].RuleIDs, r))
	}
}

// RuleOf is the rule that the stream's row with that id fell under, or "". The
// list endpoints do not tell it; statistics can be narrowed to it.
func (s *Sim) RuleOf(stream Stream, id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	is := s.matcher(stream, []string{id})
	t := &s.tables[stream.index()]
	for i := range t.records {
		if r := &t.records[i]; is(r) {
			row := s.expand(stream, r)
			return s.ruleOf(row.PolicyID, r)
		}
	}
	return ""
}

func (s *Sim) ruleOf(policyID string, r *record) string {
	for _, policy := range s.world.Policies {
		if policy.ID == policyID {
			return pickRule(policy.RuleIDs, r)
		}
	}
	return ""
}

func pickRule(rules []string, r *record) string {
	if len(rules) == 0 {
		return ""
	}
	return rules[mix(uint64(r.seq)+0x72)>>24%uint64(len(rules))]
}

func (p *point) appendJSON(b []byte, entityID string) []byte {
	b = append(b, '{')
	for _, field := range [...]struct {
		name  string
		value int64
	}{
		{"ts", p.ts},
		{"violations", p.violations},
		{"alerts", p.alerts},
		{"blocks", p.blocks},
		{"severityLow", p.severity[1]},
		{"severityMedium", p.severity[2]},
		{"severityHigh", p.severity[3]},
		{"policyTokensIn", p.tokensIn},
		{"policyTokensOut", p.tokensOut},
	} {
		b = append(b, '"')
		b = append(b, field.name...)
		b = append(b, `":`...)
		b = append(strconv.AppendInt(b, field.value, 10), ',')
	}
	if entityID != "" {
		b = appendField(b, "entityId", entityID)
	}
	b[len(b)-1] = '}'
	return b
}
