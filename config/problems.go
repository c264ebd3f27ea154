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
	place := p.Source
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.Source, p.Line, p.Column)
	}
	return strings.Join(slices.DeleteFunc([]string{place, p.Key, p.Message}, func(part string) bool { return part == "" }), ": ")
}

// Problems is everything that is wrong with a configuration, in the order of
// the file, followed by the environment's. It is never empty as an error.
type Problems []Problem

// maxShown keeps the message readable when a wrong file was named.
const maxShown = 50

// Error has one line for each problem.
func (p Problems) Error() string {
	var lines []string
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
			cmp.Compare(cmp.Or(a.Line, math.MaxInt), cmp.Or(b.Line, math.MaxInt)),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Source, b.Source),
		)
	})
}

// at is the position of a part of what was written here.
func (p Position) at(n *yaml.Node) Position {
	if untyped(n) {
		return p
	}
	return Position{p.Source, n.Line, n.Column}
}
