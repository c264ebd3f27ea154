package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// untyped reports a node that was made from an environment variable: its text
// has no type yet, and no position.
func untyped(n *yaml.Node) bool { return n.Line == 0 }

// scalar is the text of a node, if it is a single value of one of these types.
func scalar(n *yaml.Node, tags ...string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		return "", false
	}
	return n.Value, untyped(n) || slices.Contains(tags, n.ShortTag())
}

// plain is the text of a node that must be text. What YAML takes for a date is
// text too.
func plain(n *yaml.Node) (text, complaint string) {
	text, ok := scalar(n, "!!str", "!!timestamp")
	switch {
	case ok:
		return text, ""
	case n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.ShortTag()):
		return "", "must be text" + found(n, ok) + ", put it in quotes"
	}
	return "", "must be text" + found(n, ok)
}

// sequence is the items of a node that must be a list.
func sequence(n *yaml.Node) (items []*yaml.Node, complaint string) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		return nil, "must be a list" + found(n, false) + ", write [] or [a, b]"
	}
	return n.Content, ""
}

// found says what kind of value is there instead, unless the kind is right.
func found(n *yaml.Node, right bool) string {
	if right || untyped(n) {
		return ""
	}
	switch n.Kind {
	case yaml.AliasNode:
		return " and not an alias, aliases are not supported"
	case yaml.SequenceNode:
		return ", not a list"
	case yaml.MappingNode:
		return ", not keys"
	}
	switch n.ShortTag() {
	case "!!null":
		return ", but there is no value: write one or remove the line"
	case "!!int", "!!float":
		return ", not a number"
	case "!!bool":
		return ", not true or false"
	case "!!str", "!!timestamp":
		return ", not text"
	}
	return ", remove its tag"
}

// A pair is one key of a mapping with its value.
type pair struct {
	name, value *yaml.Node
}

// pairs are the keys of a mapping, each once, and the faults of the others.
func pairs(n *yaml.Node) (once []pair, faults []fault) {
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		switch {
		case name.Kind != yaml.ScalarNode:
			faults = append(faults, fault{at: name, message: "a key must be a plain name"})
		case name.ShortTag() == "!!merge":
			faults = append(faults, fault{at: name, message: "merge keys are not supported, write the keys themselves"})
		case lines[name.Value] > 0:
			message := fmt.Sprintf("is there already in line %d, remove one of them", lines[name.Value])
			faults = append(faults, fault{at: name, part: shown(name.Value), message: message})
		default:
			lines[name.Value] = name.Line
			once = append(once, pair{name: name, value: n.Content[i+1]})
		}
	}
	return once, faults
}
