package config

import (
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
	if ok {
		return text, ""
	}
	complaint = "must be text" + found(n, ok)
	if n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.ShortTag()) {
		complaint += ", put it in quotes"
	}
	return "", complaint
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
