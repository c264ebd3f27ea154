package apisim

import "slices"

// filter is what rows must match; zero fields match all.
type filter struct {
	policyID, repoID, workspaceID, keyID, ruleID string
	types, models, hosts, severities             []string
	block                                        *bool
}

func (f *filter) isEmpty() bool {
	return f.policyID+f.repoID+f.workspaceID+f.keyID+f.ruleID == "" && f.block == nil &&
		len(f.types)+len(f.models)+len(f.hosts)+len(f.severities) == 0
}

// closed reports whether the caller names a workspace, or a repo of one, without
// access: that is answered with an empty list.
func (f *filter) closed(w *world) bool {
	workspaceID := f.workspaceID
	if f.repoID != "" && w.hasRepo(f.repoID) {
		workspaceID = w.workspaceOf(f.repoID)
		if workspaceID == "" {
			return f.workspaceID != ""
		}
	}
	return workspaceID != "" && !slices.ContainsFunc(w.Workspaces, func(v Workspace) bool {
		return v.ID == workspaceID && v.Access
	})
}

// facts are what filters and statistics look at in a record.
type facts struct {
	policyID, repoID, keyID string
	llmType, model, host    string // "" is none
	severity                string
	block                   bool
}

func (s *Sim) factsOf(stream Stream, r *record) facts {
	if r.flags&flagCustom != 0 {
		row := s.tables[stream.index()].custom[r.seq]
		return facts{
			policyID: row.PolicyID, repoID: row.RepoID, keyID: row.RepoAIAPIKeyID,
			llmType: deref(row.LLMType), model: deref(row.LLMModel), host: deref(row.Host),
			severity: deref(row.Severity), block: deref(row.Block),
		}
	}
	f := facts{
		policyID: s.world.Policies[r.policy].ID, repoID: s.world.Repos[r.repo].ID, keyID: s.world.APIKeys[r.key].ID,
		severity: severities[r.flags&severityBits], block: r.flags&flagBlock != 0,
	}
	if r.flags&flagNoModel == 0 {
		m := &models[r.model]
		f.llmType, f.model, f.host = m.llmType, m.name, m.host
	}
	return f
}

func deref[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// match reports whether a record fits.
func (f *filter) match(w *world, r *record, has facts) bool {
	return matches(f.policyID, has.policyID) && matches(f.repoID, has.repoID) && matches(f.keyID, has.keyID) &&
		(f.workspaceID == "" || w.workspaceOf(has.repoID) == f.workspaceID) &&
		(f.ruleID == "" || w.ruleOf(has.policyID, r) == f.ruleID) &&
		(f.block == nil || has.block == *f.block) &&
		among(f.types, has.llmType) && among(f.models, has.model) && among(f.hosts, has.host) && among(f.severities, has.severity)
}

func matches(want, have string) bool { return want == "" || want == have }

func among(wanted []string, have string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, have)
}

func (w *world) workspaceOf(repoID string) string {
	for i := range w.Repos {
		if w.Repos[i].ID == repoID {
			return w.Repos[i].WorkspaceID
		}
	}
	return ""
}

// ruleOf is the rule of the policy that the record fell under, or "".
func (w *world) ruleOf(policyID string, r *record) string {
	for _, policy := range w.Policies {
		if policy.ID == policyID && len(policy.RuleIDs) > 0 {
			return policy.RuleIDs[mix(uint64(r.seq)+0x72)>>24%uint64(len(policy.RuleIDs))]
		}
	}
	return ""
}
