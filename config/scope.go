package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// scopes decodes the levels of policy statistics.
func (d *decoder) scopes(to *[]Scope, f field, s setting) {
	before := len(d.problems)
	items := d.items(f, s)
	if len(items) == 0 && len(d.problems) == before {
		d.report(s.Position, f.path, "has no scope, write [{scope: org}]")
	}
	for i, item := range items {
		var scope Scope
		one := field{path: fmt.Sprintf("%s[%d]", f.path, i), value: reflect.ValueOf(&scope).Elem()}
		at, before := s.at(item), len(d.problems)
		if item.Kind != yaml.MappingNode {
			d.report(at, one.path, "must be a scope"+found(item, false)+", write {scope: org}")
		} else {
			d.section(one, setting{node: item, Position: at})
		}
		if len(d.problems) == before {
			d.report(at, one.path, scope.validate(*to))
		}
		*to = append(*to, scope)
	}
}

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

// scopesNode is the environment's way to write scopes:
// org,repo:auto,workspace:ws-1+ws-2.
func scopesNode(text string) *yaml.Node {
	scopes := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range split(text, ",") {
		kind, ids, found := strings.Cut(item, ":")
		scope := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode("scope"), textNode(kind)}}
		if found {
			scope.Content = append(scope.Content, textNode("ids"), listNode(split(ids, "+")))
		}
		scopes.Content = append(scopes.Content, scope)
	}
	return scopes
}
