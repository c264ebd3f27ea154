package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// entry is a section that is an item of a list.
type entry[T any] interface {
	// validate says what is wrong with it after others.
	validate(others []T) string
}

// entries decodes a list of sections.
func entries[T entry[T]](d *decoder, to *[]T, f field, s setting) {
	kind, example, _ := strings.Cut(f.tag.Get("item"), " ")
	before := len(d.problems)
	items := d.items(f, s)
	if len(items) == 0 && f.tag.Get("min") != "" && len(d.problems) == before {
		d.report(s.Position, f.path, "has no "+kind+", write ["+example+"]")
	}
	for i, item := range items {
		var one T
		section := field{path: fmt.Sprintf("%s[%d]", f.path, i), value: reflect.ValueOf(&one).Elem()}
		at, before := s.at(item), len(d.problems)
		if item.Kind != yaml.MappingNode {
			d.report(at, section.path, "must be a "+kind+found(item, false)+", write "+example)
		} else {
			d.section(section, setting{node: item, Position: at})
		}
		if len(d.problems) == before {
			d.report(at, section.path, one.validate(*to))
		}
		*to = append(*to, one)
	}
}

// entry is the section that an item of the list is.
func (f field) entry() field { return field{value: reflect.New(f.value.Type().Elem()).Elem()} }

// entriesNode is the environment's way to write a list of sections: the values of each in
// the order of its keys, such as org,repo:auto,workspace:ws-1+ws-2.
func (f field) entriesNode(text string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	keys := f.entry().fields()
	for _, item := range split(text, ",") {
		section := &yaml.Node{Kind: yaml.MappingNode}
		for i, part := range strings.SplitN(item, ":", len(keys)) {
			value := textNode(part)
			if keys[i].value.Kind() == reflect.Slice {
				value = listNode(split(part, "+"))
			}
			if i == 0 || part != "" {
				section.Content = append(section.Content, textNode(keys[i].name()), value)
			}
		}
		list.Content = append(list.Content, section)
	}
	return list
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
