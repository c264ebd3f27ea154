package config

import "slices"

// validate says what is wrong with a scope after others.
func (s Scope) validate(others []Scope) string {
	auto := slices.Contains(s.IDs, "auto")
	switch {
	case s.Scope == "":
		return "must name its scope, write {scope: org}"
	case s.Scope == "org" && len(s.IDs) > 0:
		return "is org, which takes no ids, remove them"
	case s.Scope == "workspace" && auto:
		return "is workspace, which has no auto, write the ids themselves"
	case s.Scope == "workspace" && len(s.IDs) == 0:
		return "is workspace, which needs ids, write ids: [WORKSPACE_ID]"
	case s.Scope == "repo" && len(s.IDs) == 0:
		return "is repo, which needs ids, write ids: [auto] or ids: [REPO_ID]"
	case auto && len(s.IDs) > 1:
		return "has auto beside other ids, write ids: [auto] or the ids alone"
	case slices.ContainsFunc(others, func(o Scope) bool { return o.Scope == s.Scope }):
		return "names a scope for the second time, put its ids into the first"
	}
	return ""
}
