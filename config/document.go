package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A setting is a value and where it was written.
type setting struct {
	node *yaml.Node
	from origin
}

// A document is a file's settings, found along the table of keys but not yet
// decoded.
type document struct {
	name string
	// file is whether there is a file at all, broken whether it is not YAML.
	file, broken bool
	// settings are by key path.
	settings map[string]setting
	// sections that are there, also those left empty, by path.
	sections map[string]origin
	problems Problems

	table []key
	known map[string]bool // all sections of the table
}

func newDocument(name string) *document {
	table := keys()
	return &document{
		name:     name,
		settings: map[string]setting{},
		sections: map[string]origin{},
		table:    table,
		known:    sectionsOf(table),
	}
}

// readDocument never fails: what is wrong is among the document's problems.
func readDocument(data []byte, name string) *document {
	d := newDocument(name)
	d.file = true
	root, problem := parseYAML(data)
	switch {
	case problem != nil:
		d.broken = true
		d.problems = Problems{origin{name, problem.line, problem.column}.problem("", problem.message)}
	case root.Kind != yaml.MappingNode:
		d.broken = true
		d.problems = Problems{d.at(root).problem("", "the file must hold keys such as api: and streams:")}
	default:
		d.section("", root)
	}
	return d
}

func (d *document) at(n *yaml.Node) origin {
	return origin{source: d.name, line: n.Line, column: n.Column}
}

func (d *document) section(path string, n *yaml.Node) {
	once, faults := pairs(n)
	for _, f := range faults {
		d.problem(f.at, joinPart(path, f.part), f.message)
	}
	for _, p := range once {
		d.pair(path, p)
	}
}

func joinPart(path, part string) string {
	if part == "" {
		return path
	}
	return join(path, part)
}

func (d *document) problem(n *yaml.Node, path, message string) {
	d.problems = append(d.problems, d.at(n).problem(path, message))
}

func (d *document) pair(path string, p pair) {
	child := join(path, p.name.Value)
	switch {
	case slices.ContainsFunc(d.table, func(k key) bool { return k.path == child }):
		d.settings[child] = setting{node: p.value, from: d.at(p.name)}
	case !d.known[child]:
		d.problem(p.name, join(path, shown(p.name.Value)), d.unknown(path, p.name.Value))
	case p.value.Kind == yaml.MappingNode:
		d.sections[child] = d.at(p.name)
		d.section(child, p.value)
	case p.value.Kind == yaml.ScalarNode && p.value.ShortTag() == "!!null":
		d.sections[child] = d.at(p.name)
	default:
		d.problem(p.name, child, "must hold keys"+found(p.value, false)+"; the keys are "+strings.Join(d.names(child), ", "))
	}
}

// names are the keys that may stand directly under a path.
func (d *document) names(path string) []string {
	names := map[string]bool{}
	for _, k := range d.table {
		if rest, ok := strings.CutPrefix("."+k.path, dotted(path)+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// unknown says what to do about a key that is not in the table.
func (d *document) unknown(path, name string) string {
	names := d.names(path)
	if near := nearest(name, names); near != "" {
		return "unknown key; did you mean " + near + "?"
	}
	switch {
	case path == "streams.alerts.filter" && (name == "severity" || name == "block"):
		return "only violations have it, move it to streams.violations.filter"
	case looksSecret(name):
		return "never put the token in the file, put it in the environment variable " + defaultTokenEnv +
			", or write token_env, token_file or token_command under api to say where it is"
	}
	if places := d.places(name); len(places) > 0 {
		return "unknown key here; it belongs under " + strings.Join(places, " or ")
	}
	return "unknown key, remove it; the keys here are " + strings.Join(names, ", ")
}

// places are the sections in which a name is known.
func (d *document) places(name string) []string {
	var places []string
	for _, k := range d.table {
		for path := k.path; path != ""; path = parent(path) {
			if above := parent(path); above != "" && path == join(above, name) && !slices.Contains(places, above) {
				places = append(places, above)
			}
		}
	}
	return places
}

func looksSecret(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	return slices.ContainsFunc(
		[]string{"token", "secret", "passw", "bearer", "credential", "api_key", "apikey", "auth"},
		func(part string) bool { return strings.Contains(name, part) },
	)
}
