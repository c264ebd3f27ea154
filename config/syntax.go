package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A syntaxError is why a file is not YAML, with its position from 1.
type syntaxError struct {
	line, column int
	message      string
}

// parseYAML is the one document of a file. It goes no further than nodes, so
// aliases are never expanded. Nothing of the file is in its messages.
func parseYAML(data []byte) (root *yaml.Node, problem *syntaxError) {
	defer func() {
		if recover() != nil {
			root, problem = nil, &syntaxError{1, 1, "cannot be read as YAML"}
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
		return nil, &syntaxError{1, 1, "the file has no keys, write at least streams: with alerts: under it"}
	}
	if err == nil {
		err = loader.Load(&second)
	}
	switch {
	case err == nil:
		return nil, &syntaxError{second.Line, second.Column, "a second document begins here, write everything in one"}
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	}
	return nil, explain(err, data)
}

func empty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}

// unreadable finds the first thing that is no text, which YAML reports
// without a position.
func unreadable(data []byte) *syntaxError {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line, column := 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return &syntaxError{line, column, "the file is not UTF-8 here, save it as UTF-8"}
		case unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r):
			return &syntaxError{line, column, "a control character, remove it"}
		case r == '\n':
			line, column = line+1, 0
		}
		data, column = data[size:], column+1
	}
	return nil
}

// explain turns YAML's terms into what to do.
func explain(err error, data []byte) *syntaxError {
	var load *yaml.LoadError
	if !errors.As(err, &load) || load.Mark.Line == 0 {
		return &syntaxError{1, 1, "cannot be read as YAML"}
	}
	at := &syntaxError{line: load.Mark.Line, column: load.Mark.Column}
	switch next := runeAt(data, at.line, at.column); {
	case strings.HasPrefix(load.Message, "unknown anchor"):
		at.message = "a value cannot start with *, put it in quotes"
	case next == '\t':
		at.message = "a tab cannot indent, write spaces"
	case strings.Contains(load.Message, "cannot start any token"):
		at.message = fmt.Sprintf("a value cannot start with %q, put it in quotes", next)
	case strings.Contains(load.Message, "mapping values are not allowed"):
		at.message = "no key can stand here, indent it like its neighbours or put the value before it in quotes"
	case strings.Contains(load.Message, "incompatible YAML document"):
		at.message = "remove the %YAML line"
	default:
		at.message = strings.TrimSpace("not YAML: "+load.ContextMsg) + startedAt(load) + ", check indentation, brackets and quotes"
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
