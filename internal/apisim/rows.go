package apisim

import "time"

// Rows returns a copy of the stream's rows, oldest first, as they are now.
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
func (s *Sim) Alerts() []Row { return s.Rows(Alerts) }

// Len is the number of the stream's rows.
func (s *Sim) Len(stream Stream) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.tables[stream.index()].records)
}

// NewRow makes up a plausible row at the given time without adding it. Tests
// alter it and pass it to [Sim.Add]. Its ID is empty; adding it assigns one. The same
// n gives the same content.
func (s *Sim) NewRow(stream Stream, at time.Time, n int) Row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	// Numbers from the top, which generated rows never reach.
	r := s.newRecord(stream, ^uint32(n), at.UnixMicro())
	row := s.expand(stream, &r)
	row.ID = ""
	return row
}

// expand makes a row of a record. The caller has the lock.
func (s *Sim) expand(stream Stream, r *record) Row {
	row := s.outline(stream, r)
	if r.flags&flagCustom != 0 {
		return row
	}
	row.ID = s.idOf(stream, r)
	if r.flags&flagNoTalk == 0 {
		// Rows of a user in a repo that follow each other closely are one conversation.
		talk := uint64(r.repo)<<40 | uint64(r.user)<<24 | uint64(r.at/(2*3600*microsPerSecond))&0xffffff
		row.ConversationID = new(idOf(s.world.seed, classTalk, talk))
	}
	texts := s.world.sentences[stream.index()][r.policy]
	text := texts[mix(uint64(r.seq)+0x51)>>20%uint64(len(texts))]
	if stream == Alerts {
		row.Message = text
	} else {
		row.Explanation = text
	}
	return row
}

// outline is what filters and statistics look at: of a generated row all but its id,
// conversation and text, which take time to make. The caller has the lock.
func (s *Sim) outline(stream Stream, r *record) Row {
	if r.flags&flagCustom != 0 {
		return *s.tables[stream.index()].custom[r.seq]
	}
	w := s.world
	row := Row{
		PolicyID: w.Policies[r.policy].ID, PolicyName: w.Policies[r.policy].Name,
		Timestamp: time.UnixMicro(r.at).UTC(),
		RepoID:    w.Repos[r.repo].ID, RepoName: w.Repos[r.repo].Name,
		UserID: w.Users[r.user].ID, UserName: w.Users[r.user].Name,
		RepoAIAPIKeyID: w.APIKeys[r.key].ID, RepoAIAPIKeyName: w.APIKeys[r.key].Name,
	}
	if r.flags&flagNoModel == 0 {
		m := &models[r.model]
		row.LLMType, row.LLMModel, row.Host = &m.llmType, &m.name, &m.host
	}
	if stream == Violations {
		row.Block = new(r.flags&flagBlock != 0)
		if severity := r.flags & severityBits; severity != 0 {
			row.Severity = new(severities[severity])
		}
	}
	return row
}

// idOf is the record's id.
func (s *Sim) idOf(stream Stream, r *record) string {
	if r.flags&flagCustom != 0 {
		return s.tables[stream.index()].custom[r.seq].ID
	}
	return idOf(s.world.seed, classRow+uint64(stream.index()), uint64(r.seq))
}
