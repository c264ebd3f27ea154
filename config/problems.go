package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Position is where something was written.
type Position struct {
	// Source is the file's name, or the environment variable's.
	Source string
	// Line and Column count from 1; both are 0 for an environment variable.
	Line, Column int
}

// Problem is one thing that is wrong, and what to do about it.
type Problem struct {
	Position
	// Key is the path of the key, "" where no key is concerned.
	Key string
	// Message says what is wrong and what to write instead. It never repeats
	// the value.
	Message string
}

// String is the problem in one line: file:line:column: key: message.
func (p Problem) String() string {
	parts := []string{p.Message}
	if p.Key != "" {
		parts = slices.Insert(parts, 0, p.Key)
	}
	switch {
	case p.Line > 0:
		parts = slices.Insert(parts, 0, fmt.Sprintf("%s:%d:%d", p.Source, p.Line, p.Column))
	case p.Source != "":
		parts = slices.Insert(parts, 0, p.Source)
	}
	return strings.Join(parts, ": ")
}

// Problems is everything that is wrong with a configuration, in the order of
// the file, followed by the environment's. It is never empty as an error.
type Problems []Problem

// maxShown keeps the message readable when a wrong file was named.
const maxShown = 50

// Error has one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, 0, min(len(p), maxShown)+1)
	for _, problem := range p[:min(len(p), maxShown)] {
		lines = append(lines, problem.String())
	}
	if more := len(p) - maxShown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// sort puts the file's problems first, by position, then the others by name.
func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.rank(), b.rank()),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Source, b.Source),
		)
	})
}

// rank is the line, and after all lines for what has none.
func (p Problem) rank() int {
	if p.Line == 0 {
		return math.MaxInt
	}
	return p.Line
}

// at is the position of a part of what was written here.
func (p Position) at(n *yaml.Node) Position {
	if untyped(n) {
		return p
	}
	return Position{p.Source, n.Line, n.Column}
}
