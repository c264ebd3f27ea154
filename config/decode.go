package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A setting is a value as it was written, and where.
type setting struct {
	node *yaml.Node
	Position
	path string
}

// says reports a value that is neither an empty text nor nothing.
func (s setting) says() bool {
	return s.node != nil && (s.node.Kind != yaml.ScalarNode || s.node.Value != "" && s.node.ShortTag() != "!!null")
}

// byVariable reports a value that the environment gives.
func (s setting) byVariable() bool { return s.node != nil && s.Line == 0 }

// A decoder fills a Config from the file, the environment and the defaults, and
// collects every problem.
type decoder struct {
	file     setting // its node is nil if there is no file
	env      func(string) (string, bool)
	config   *Config
	written  map[any]setting    // what is not a default, by the pointer to the Go field
	sections map[string]setting // those in the file, by path
	problems Problems
}

func (d *decoder) report(at Position, path, message string) {
	if message != "" {
		d.problems = append(d.problems, Problem{at, path, message})
	}
}

// section decodes the keys of a section and reports those it does not have.
func (d *decoder) section(f field, s setting) {
	pairs := d.pairs(f, s)
	for _, child := range f.fields() {
		pair := pairs[child.name()]
		delete(pairs, child.name())
		if !child.isSection() {
			d.key(child, pair)
			continue
		}
		if n := pair.node; n != nil && n.Kind != yaml.MappingNode && (n.Kind != yaml.ScalarNode || n.ShortTag() != "!!null") {
			d.report(pair.Position, child.path, "must hold keys"+found(n, false)+"; the keys are "+child.listed())
		} else if n != nil {
			d.sections[child.path] = pair
		}
		d.section(child, pair)
	}
	for name, pair := range pairs {
		d.report(pair.Position, join(f.path, shown(name)), unknown(f, name))
	}
}

// pairs are the keys of a mapping, each once, with the position of their names.
// It reports the others.
func (d *decoder) pairs(f field, s setting) map[string]setting {
	pairs := map[string]setting{}
	if s.node == nil || s.node.Kind != yaml.MappingNode {
		return pairs
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		name := s.node.Content[i]
		at := s.at(name)
		first, twice := pairs[name.Value]
		switch {
		case name.Kind != yaml.ScalarNode:
			d.report(at, f.path, "a key must be a plain name")
		case name.ShortTag() == "!!merge":
			d.report(at, f.path, "merge keys are not supported, write the keys themselves")
		case twice:
			d.report(at, join(f.path, shown(name.Value)), fmt.Sprintf("is already in line %d, remove one of them", first.Line))
		default:
			pairs[name.Value] = setting{node: s.node.Content[i+1], Position: at}
		}
	}
	return pairs
}

// key decodes what the environment says, otherwise the file, otherwise the default.
func (d *decoder) key(f field, s setting) {
	text, _ := d.env(variable(f.path))
	if text != "" {
		s = setting{node: f.fromVariable(text), Position: Position{Source: variable(f.path)}}
	}
	if s.node == nil {
		if s.node = f.presetNode(); s.node == nil {
			return
		}
		s.Position = d.file.Position
	} else {
		s.path = f.path
		d.written[f.value.Addr().Interface()] = s
	}
	switch to := f.value.Addr().Interface().(type) {
	case *[]string:
		d.texts(to, f, s)
	case *[]Scope:
		entries(d, to, f, s)
	case *map[string]string:
		d.columns(to, f, s)
	case *[]View:
		entries(d, to, f, s)
	default:
		complaint := f.decode(to, s.node)
		if path, ok := to.(*string); ok && complaint == "" && text == "" && f.tag.Get("check") == "path" {
			*path, complaint = d.resolve(f, *path)
		}
		d.report(s.Position, f.path, complaint)
	}
}

// texts decodes a list of different texts.
func (d *decoder) texts(to *[]string, f field, s setting) {
	for i, item := range d.items(f, s) {
		text, complaint := plain(item)
		switch {
		case complaint != "":
		case strings.Contains(text, ",") && f.tag.Get("commas") != "ok":
			complaint = "has a comma, write several values as several items"
		case slices.Contains(*to, text):
			complaint = "is there twice, write it once"
		default:
			complaint = f.validate(text)
		}
		if complaint == "" {
			*to = append(*to, text)
		}
		d.report(s.at(item), fmt.Sprintf("%s[%d]", f.path, i), complaint)
	}
}

// items are those of a value that must be a list.
func (d *decoder) items(f field, s setting) []*yaml.Node {
	if s.node.Kind != yaml.SequenceNode || s.node.ShortTag() != "!!seq" {
		d.report(s.Position, f.path, "must be a list"+found(s.node, false)+", write [] or [a, b]")
		return nil
	}
	return s.node.Content
}
