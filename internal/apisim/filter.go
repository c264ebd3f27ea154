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

func deref[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// matches reports whether a record fits.
func (s *Sim) matches(f *filter, stream Stream, r *record) bool {
	row := s.outline(stream, r)
	return f.match(s.world, r, &row)
}

func (f *filter) match(w *world, r *record, row *Row) bool {
	return same(f.policyID, row.PolicyID) && same(f.repoID, row.RepoID) && same(f.keyID, row.RepoAIAPIKeyID) &&
		(f.workspaceID == "" || w.workspaceOf(row.RepoID) == f.workspaceID) &&
		(f.ruleID == "" || w.ruleOf(row.PolicyID, r) == f.ruleID) &&
		(f.block == nil || deref(row.Block) == *f.block) &&
		among(f.types, row.LLMType) && among(f.models, row.LLMModel) && among(f.hosts, row.Host) && among(f.severities, row.Severity)
}

func same(want, have string) bool { return want == "" || want == have }

func among(wanted []string, have *string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, deref(have))
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
