package apisim

import (
	"slices"
	"time"
)

// Rows returns a copy of the stream's rows, oldest first, as they stand.
func (s *Sim) Rows(stream Stream) []Row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := &s.tables[stream.index()]
	rows := make([]Row, len(t.records))
	for i := range t.records {
		rows[i] = s.expand(stream, &t.records[i])
	}
	return rows
}

// Alerts returns a copy of all alerts, oldest first.
func (s *Sim) Alerts() []Alert { return s.Rows(Alerts) }

// Violations returns a copy of all violations, oldest first.
func (s *Sim) Violations() []Violation { return s.Rows(Violations) }

// Len is the number of the stream's rows.
func (s *Sim) Len(stream Stream) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.tables[stream.index()].records)
}

// NewRow makes up a plausible row at the given time without adding it. Tests
// alter it and pass it to [Sim.AddAlerts] or [Sim.AddViolations]. Its ID is
// empty; adding it assigns one. The same n gives the same content.
func (s *Sim) NewRow(stream Stream, at time.Time, n int) Row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	// Numbers from the top, which generated rows never reach.
	r := s.newRecord(stream, ^uint32(n), at.UnixMicro())
	row := s.expand(stream, &r)
	row.ID = ""
	return row
}

// expand spells a record out. The caller holds the lock.
func (s *Sim) expand(stream Stream, r *record) Row {
	if r.flags&flagCustom != 0 {
		return s.tables[stream.index()].custom[r.seq].clone()
	}
	w := s.world
	row := Row{
		ID:       uuid(s.rowWord(stream, r)),
		PolicyID: w.Policies[r.policy].ID, PolicyName: w.Policies[r.policy].Name,
		Timestamp: time.UnixMicro(r.at).UTC(),
		RepoID:    w.Repos[r.repo].ID, RepoName: w.Repos[r.repo].Name,
		UserID: w.Users[r.user].ID, UserName: w.Users[r.user].Name,
		RepoAIAPIKeyID: w.APIKeys[r.key].ID, RepoAIAPIKeyName: w.APIKeys[r.key].Name,
	}
	if r.flags&flagNoTalk == 0 {
		row.ConversationID = new(uuid(s.talkWord(r)))
	}
	if r.flags&flagNoModel == 0 {
		m := models[r.model]
		row.LLMType, row.LLMModel, row.Host = &m.llmType, &m.name, &m.host
	}
	text := w.sentences[stream.index()][r.policy].plain[s.sentence(stream, r)]
	if stream == Violations {
		row.Explanation, row.Block = text, new(r.flags&flagBlock != 0)
		if severity := severities[r.flags&severityBits]; severity != "" {
			row.Severity = &severity
		}
	} else {
		row.Message = text
	}
	return row
}

func (r *Row) clone() Row {
	c := *r
	c.Raw = slices.Clone(r.Raw)
	for _, p := range []**string{&c.ConversationID, &c.LLMType, &c.LLMModel, &c.Host, &c.Severity} {
		if *p != nil {
			*p = new(**p)
		}
	}
	if c.Block != nil {
		c.Block = new(*c.Block)
	}
	return c
}

// rowWord is what the record's id spells.
func (s *Sim) rowWord(stream Stream, r *record) uint64 {
	return idWord(s.options.Seed, classRow+uint8(stream.index()), uint64(r.seq))
}

// talkWord is what its conversation's id spells: rows of a user in a repo that
// follow each other closely belong to one conversation.
func (s *Sim) talkWord(r *record) uint64 {
	return idWord(s.options.Seed, classTalk, uint64(r.repo)<<40|uint64(r.user)<<24|uint64(r.at/(2*3600*microsPerSecond))&0xffffff)
}

// sentence is the place of the record's text among its policy's.
func (s *Sim) sentence(stream Stream, r *record) int {
	texts := len(s.world.sentences[stream.index()][r.policy].plain)
	return int(mix(uint64(r.seq)+0x51) >> 20 % uint64(texts))
}

// appendJSON spells a record as [Row.appendJSON] does, by copying prepared
// pieces. The caller holds the lock.
func (s *Sim) appendJSON(b []byte, stream Stream, r *record) []byte {
	if r.flags&flagCustom != 0 {
		return s.tables[stream.index()].custom[r.seq].appendJSON(b, stream, &s.semantics)
	}
	w := s.world
	b = append(b, `{"id":"`...)
	b = append(appendUUID(b, s.rowWord(stream, r)), `",`...)
	b = append(b, w.policyJSON[r.policy]...)
	b = append(b, `"timestamp":"`...)
	b = appendTimestamp(b, r.at, s.semantics.Digits)
	if stream == Violations {
		b = append(b, `","explanation":`...)
	} else {
		b = append(b, `","message":`...)
	}
	b = append(b, w.sentences[stream.index()][r.policy].quoted[s.sentence(stream, r)]...)
	if r.flags&flagNoTalk != 0 {
		b = append(b, `,"conversationId":null,`...)
	} else {
		b = append(b, `,"conversationId":"`...)
		b = append(appendUUID(b, s.talkWord(r)), `",`...)
	}
	b = append(b, w.repoJSON[r.repo]...)
	b = append(b, w.userJSON[r.user]...)
	b = append(b, w.keyJSON[r.key]...)
	if r.flags&flagNoModel == 0 && (stream == Alerts || !s.semantics.PlainViolations) {
		b = append(b, w.modelJSON[r.model]...)
	}
	if stream == Violations && !s.semantics.PlainViolations {
		b = appendNullableSeverity(b, r.flags)
		b = appendBlock(b, r.flags&flagBlock != 0)
	}
	b[len(b)-1] = '}'
	return b
}

func appendNullableSeverity(b []byte, flags uint8) []byte {
	if flags&severityBits == 0 {
		return append(b, `"severity":null,`...)
	}
	return appendField(b, "severity", severities[flags&severityBits])
}
