package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// autoID stands for the repos seen in alerts and violations.
const autoID = "auto"

func scopeKinds() []string { return []string{"org", "workspace", "repo"} }

// scopes decodes the levels of policy statistics.
func scopes(field *[]Scope, n *yaml.Node) []fault {
	items, complaint := sequence(n)
	if complaint == "" && len(items) == 0 {
		complaint = "has no scope, write [{scope: org}]"
	}
	if complaint != "" {
		return whole(complaint)
	}
	var all []Scope
	var faults []fault
	for i, item := range items {
		scope, wrong := oneScope(item)
		if len(wrong) == 0 && slices.ContainsFunc(all, func(s Scope) bool { return s.Scope == scope.Scope }) {
			wrong = []fault{{at: item, message: "names a scope for the second time, put its ids into the first"}}
		}
		for _, f := range wrong {
			f.part = fmt.Sprintf("[%d]%s", i, f.part)
			faults = append(faults, f)
		}
		all = append(all, scope)
	}
	if len(faults) == 0 {
		*field = all
	}
	return faults
}

func oneScope(n *yaml.Node) (Scope, []fault) {
	var s Scope
	if n.Kind != yaml.MappingNode {
		return s, []fault{{at: n, message: "must be a scope" + found(n, false) + ", write {scope: org}"}}
	}
	once, faults := pairs(n)
	for i := range faults {
		faults[i].part = dotted(faults[i].part)
	}
	for _, p := range once {
		var wrong []fault
		switch p.name.Value {
		case "scope":
			wrong = key{values: scopeKinds()}.text(&s.Scope, p.value)
		case "ids":
			wrong = key{check: checkLine}.list(&s.IDs, p.value)
		default:
			wrong = whole("unknown key" + didYouMean(p.name.Value, []string{"scope", "ids"}))
		}
		for _, f := range wrong {
			if f.at == nil {
				f.at = p.name
			}
			f.part = dotted(shown(p.name.Value)) + f.part
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return s, faults
	}
	if complaint := s.complaint(); complaint != "" {
		return s, []fault{{at: n, message: complaint}}
	}
	return s, nil
}

func dotted(part string) string {
	if part == "" {
		return ""
	}
	return "." + part
}

// complaint says which ids a scope of this kind must have.
func (s Scope) complaint() string {
	auto := slices.Contains(s.IDs, autoID)
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
	}
	return ""
}

// scopeNodes is the environment's way to write scopes:
// org,repo:auto,workspace:ws-1+ws-2.
func scopeNodes(text string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range split(text, ",") {
		kind, ids, found := strings.Cut(item, ":")
		scope := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode("scope"), textNode(kind)}}
		if found {
			scope.Content = append(scope.Content, textNode("ids"), listNode(split(ids, "+")))
		}
		list.Content = append(list.Content, scope)
	}
	return list
}
