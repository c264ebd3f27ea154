package apisim

import "slices"

// filter is what rows must match; zero fields match all.
type filter struct {
	policyID, repoID, workspaceID   string
	types, models, hosts            []string
	severities                      []string
	block                           *bool
	ofPolicy, ofRepo, ofModel       []bool // compiled; nil: any
	ofSeverity                      [4]bool
	bySeverity, unfiltered, nothing bool
}

// compile turns names into sets of places, so that a record is matched without
// looking at a string.
func (f *filter) compile(w *world) {
	f.unfiltered = f.policyID == "" && f.repoID == "" && f.workspaceID == "" &&
		len(f.types)+len(f.models)+len(f.hosts)+len(f.severities) == 0 && f.block == nil
	if f.unfiltered {
		return
	}
	f.nothing = f.closed(w)
	if f.policyID != "" {
		f.ofPolicy = places(w.Policies, func(p Policy) bool { return p.ID == f.policyID })
	}
	if f.repoID != "" || f.workspaceID != "" {
		f.ofRepo = places(w.Repos, func(r Repo) bool {
			return matches(f.repoID, r.ID) && matches(f.workspaceID, r.WorkspaceID)
		})
	}
	if len(f.types)+len(f.models)+len(f.hosts) > 0 {
		f.ofModel = places(models, func(m model) bool {
			return among(f.types, &m.llmType) && among(f.models, &m.name) && among(f.hosts, &m.host)
		})
	}
	f.bySeverity = len(f.severities) > 0
	for i, severity := range severities {
		f.ofSeverity[i] = severity != "" && slices.Contains(f.severities, severity)
	}
}

// closed is whether the caller asked for a workspace, or for a repo of one,
// without access: that is answered with an empty list.
func (f *filter) closed(w *world) bool {
	workspaceID := f.workspaceID
	if place := slices.IndexFunc(w.Repos, func(r Repo) bool { return f.repoID != "" && r.ID == f.repoID }); place >= 0 {
		workspaceID = w.Repos[place].WorkspaceID
		if workspaceID == "" {
			return f.workspaceID != ""
		}
	}
	return workspaceID != "" && !slices.ContainsFunc(w.Workspaces, func(v Workspace) bool {
		return v.ID == workspaceID && v.Access
	})
}

func places[T any](list []T, is func(T) bool) []bool {
	set := make([]bool, len(list))
	for i, item := range list {
		set[i] = is(item)
	}
	return set
}

func matches(want, have string) bool { return want == "" || want == have }

func among(wanted []string, have *string) bool {
	return len(wanted) == 0 || (have != nil && slices.Contains(wanted, *have))
}

// match tells whether a generated record fits.
func (f *filter) match(r *record) bool {
	switch {
	case f.ofPolicy != nil && !f.ofPolicy[r.policy],
		f.ofRepo != nil && !f.ofRepo[r.repo],
		f.ofModel != nil && (r.flags&flagNoModel != 0 || !f.ofModel[r.model]),
		f.bySeverity && !f.ofSeverity[r.flags&severityBits],
		f.block != nil && *f.block != (r.flags&flagBlock != 0):
		return false
	default:
		return true
	}
}

// matchRow tells whether a row of a test's making fits.
func (f *filter) matchRow(row *Row, w *world) bool {
	if !matches(f.policyID, row.PolicyID) || !matches(f.repoID, row.RepoID) {
		return false
	}
	if f.workspaceID != "" && w.workspaceOf(row.RepoID) != f.workspaceID {
		return false
	}
	if f.block != nil && (row.Block == nil || *row.Block != *f.block) {
		return false
	}
	return among(f.types, row.LLMType) && among(f.models, row.LLMModel) &&
		among(f.hosts, row.Host) && among(f.severities, row.Severity)
}

func (w *world) workspaceOf(repoID string) string {
	for i := range w.Repos {
		if w.Repos[i].ID == repoID {
			return w.Repos[i].WorkspaceID
		}
	}
	return ""
}
