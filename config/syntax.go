package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseYAML is the mapping of keys that a file must be. It goes no further than
// nodes, so aliases are never expanded. Nothing of the file is in its messages.
func parseYAML(data []byte) (root *yaml.Node, problem *Problem) {
	defer func() {
		if recover() != nil {
			root, problem = nil, wrongAt(1, 1, "cannot be read as YAML")
		}
	}()
	if problem := unreadable(data); problem != nil {
		return nil, problem
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, explain(err, data)
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	if errors.Is(err, io.EOF) || err == nil && empty(&first) {
		return nil, wrongAt(1, 1, "the file has no keys, write at least streams: with alerts: under it")
	}
	if err == nil {
		err = loader.Load(&second)
	}
	switch {
	case err == nil:
		return nil, wrongAt(second.Line, second.Column, "a second document begins here, write everything in one")
	case !errors.Is(err, io.EOF):
		return nil, explain(err, data)
	}
	root = first.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, wrongAt(root.Line, root.Column, "the file must hold keys such as api: and streams:")
	}
	return root, nil
}

func wrongAt(line, column int, message string) *Problem {
	return &Problem{Position{Line: line, Column: column}, "", message}
}

func empty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}

// unreadable finds the first thing that is no text, which YAML reports
// without a position.
func unreadable(data []byte) *Problem {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line, column := 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return wrongAt(line, column, "the file is not UTF-8 here, save it as UTF-8")
		case unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r):
			return wrongAt(line, column, "a control character, remove it")
		case r == '\n':
			line, column = line+1, 0
		}
		data, column = data[size:], column+1
	}
	return nil
}

// explain turns YAML's terms into what to do.
func explain(err error, data []byte) *Problem {
	var load *yaml.LoadError
	if !errors.As(err, &load) || load.Mark.Line == 0 {
		return wrongAt(1, 1, "cannot be read as YAML")
	}
	at := wrongAt(load.Mark.Line, load.Mark.Column, "")
	switch next := runeAt(data, at.Line, at.Column); {
	case strings.HasPrefix(load.Message, "unknown anchor"):
		at.Message = "a value cannot start with *, put it in quotes"
	case next == '\t':
		at.Message = "a tab cannot indent, write spaces"
	case strings.Contains(load.Message, "cannot start any token"):
		at.Message = fmt.Sprintf("a value cannot start with %q, put it in quotes", next)
	case strings.Contains(load.Message, "mapping values are not allowed"):
		at.Message = "no key can be here, indent it like its neighbours or put the value before it in quotes"
	case strings.Contains(load.Message, "incompatible YAML document"):
		at.Message = "remove the %YAML line"
	default:
		at.Message = strings.TrimSpace("not YAML: "+load.ContextMsg) + startedAt(load) + ", check indentation, brackets and quotes"
	}
	return at
}

func startedAt(load *yaml.LoadError) string {
	if load.ContextMark.Line == 0 || load.ContextMark == load.Mark {
		return ""
	}
	return fmt.Sprintf(" that starts at %d:%d", load.ContextMark.Line, load.ContextMark.Column)
}

// runeAt is the character at a position from 1, or a space.
func runeAt(data []byte, line, column int) rune {
	lines := strings.Split(string(data), "\n")
	if line > len(lines) {
		return ' '
	}
	text := []rune(lines[line-1])
	if column < 1 || column > len(text) {
		return ' '
	}
	return text[column-1]
}

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
