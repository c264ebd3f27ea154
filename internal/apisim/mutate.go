package apisim

import (
	"reflect"
	"slices"
	"time"
)

// AddAlerts adds rows of any timestamp and returns their ids. An empty ID is
// filled in. Policies and repos it names become known to the server.
func (s *Sim) AddAlerts(rows ...Row) []string { return s.Add(Alerts, rows...) }

// Add adds rows to the stream; see [Sim.AddAlerts].
func (s *Sim) Add(stream Stream, rows ...Row) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables[stream.index()]
	ids, batch := make([]string, len(rows)), make([]record, len(rows))
	for i := range rows {
		row := rows[i]
		row.Timestamp = row.Timestamp.UTC().Truncate(time.Microsecond)
		if row.ID == "" {
			row.ID = idOf(s.options.Seed, classCustom+uint64(stream.index()), uint64(len(t.custom)))
		}
		s.world.introduce(&row)
		ids[i], batch[i] = row.ID, t.keep(&row)
	}
	t.insert(batch)
	return ids
}

// AddRaw adds a record whose JSON is sent as it is, be it malformed. The server
// lists it at the given time, whatever the JSON says.
func (s *Sim) AddRaw(stream Stream, at time.Time, raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := rowFromRaw(at.UTC().Truncate(time.Microsecond), []byte(raw))
	s.world.introduce(row)
	t := &s.tables[stream.index()]
	t.insert([]record{t.keep(row)})
}

// Delete removes all rows with one of the ids and returns how many they were.
func (s *Sim) Delete(stream Stream, ids ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables[stream.index()]
	before := len(t.records)
	t.records = slices.DeleteFunc(t.records, func(r record) bool { return slices.Contains(ids, s.idOf(stream, &r)) })
	return before - len(t.records)
}

// Update changes the first row with that id in place, its timestamp and even its
// id included, and reports whether there was one. For a row of [Sim.AddRaw]
// only Raw and Timestamp are of effect.
func (s *Sim) Update(stream Stream, id string, change func(*Row)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables[stream.index()]
	place := slices.IndexFunc(t.records, func(r record) bool { return s.idOf(stream, &r) == id })
	if place < 0 {
		return false
	}
	old := t.records[place]
	row := s.expand(stream, &old)
	change(&row)
	row.Timestamp = row.Timestamp.UTC().Truncate(time.Microsecond)
	if row.Raw != nil {
		row = *rowFromRaw(row.Timestamp, row.Raw)
	}
	s.world.introduce(&row)
	changed := t.keep(&row)
	if changed.at == old.at {
		t.records[place] = changed
		return true
	}
	t.records = slices.Delete(t.records, place, place+1)
	t.insert([]record{changed})
	return true
}

// Edit shows the function every row of the stream, oldest first. It may change all but the
// timestamp; a row that it does not keep is removed.
func (s *Sim) Edit(stream Stream, keep func(*Row) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tables[stream.index()]
	kept := t.records[:0]
	for _, r := range t.records {
		before := s.expand(stream, &r)
		row := before
		if !keep(&row) {
			continue
		}
		if !reflect.DeepEqual(before, row) {
			row.Timestamp = before.Timestamp
			s.world.introduce(&row)
			r = t.keep(&row)
		}
		kept = append(kept, r)
	}
	t.records = kept
}

// introduce makes the server know the policy and repo of a test's row.
func (w *world) introduce(row *Row) {
	if row.PolicyID != "" && !w.hasPolicy(row.PolicyID) {
		w.Policies = append(w.Policies, Policy{ID: row.PolicyID, Name: row.PolicyName})
	}
	if row.RepoID != "" && !w.hasRepo(row.RepoID) {
		w.Repos = append(w.Repos, Repo{ID: row.RepoID, Name: row.RepoName})
	}
}

func (w *world) hasPolicy(id string) bool {
	return slices.ContainsFunc(w.Policies, func(p Policy) bool { return p.ID == id })
}

func (w *world) hasRepo(id string) bool {
	return slices.ContainsFunc(w.Repos, func(r Repo) bool { return r.ID == id })
}
