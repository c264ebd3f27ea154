package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxFile is far above any configuration; it bounds what a wrong path costs.
const maxFile = 1 << 20

// Load reads the file at path, or none if path is "", and lays the environment
// over it. Without a file FLASHBACK_SYNC_STREAMS names the streams.
//
// env looks a variable up, as os.LookupEnv does. environ lists what there is,
// as os.Environ does, so that a misspelt FLASHBACK_SYNC_ variable is found;
// without it none is looked for. Only its names are used.
//
// The error is [Problems] if the configuration is wrong, or else says why the
// file cannot be read.
func Load(path string, env func(string) (string, bool), environ ...string) (*Config, error) {
	if path == "" {
		return assemble(newDocument(""), env, environ)
	}
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(data, path, env, environ...)
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return data, err
}

// Parse is [Load] with a file that was read already. name stands for it in
// problems. env may be nil: no overrides.
func Parse(data []byte, name string, env func(string) (string, bool), environ ...string) (*Config, error) {
	doc := readDocument(data, name)
	if doc.broken {
		return nil, doc.problems
	}
	return assemble(doc, env, environ)
}

// assemble lays the environment over the file and the defaults under it,
// decodes, checks, and reports everything that is wrong at once.
func assemble(doc *document, env func(string) (string, bool), environ []string) (*Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	problems := doc.problems
	streams, wrong := namedStreams(env, doc.file)
	problems = append(problems, wrong...)
	if doc.file {
		streams = doc.streams()
	}
	chosen, wrong := choose(doc.settings, overrides(doc.table, env))
	problems = append(problems, wrong...)

	c := blank()
	c.Path = doc.name
	for _, k := range doc.table {
		problems = append(problems, k.fill(c, chosen)...)
	}
	problems = append(problems, strayVariables(doc.table, environ,
		c.API.TokenEnv, c.Serve.PasswordEnv, c.Alarms.PingURLEnv, c.Alarms.WebhookURLEnv)...)
	problems = append(problems, conflicts(c, chosen)...)
	problems = append(problems, idleSchedules(streams, chosen)...)
	if len(streams) == 0 && !slices.ContainsFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.Key, "streams") }) {
		problems = append(problems, doc.noStream())
	}
	if len(problems) > 0 {
		problems.sort()
		return nil, problems
	}
	c.keep(streams)
	c.API.BaseURL = strings.TrimRight(c.API.BaseURL, "/")
	return c, nil
}

// fill decodes the key's setting, or its default, into its field.
func (k key) fill(c *Config, chosen map[string]setting) Problems {
	s, ok := chosen[k.path]
	if !ok && k.def == "" {
		return nil
	}
	if !ok {
		s.node = k.node(k.def)
	}
	var problems Problems
	for _, f := range k.apply(c, s.node) {
		from := s.from
		if f.at != nil && !untyped(f.at) {
			from.line, from.column = f.at.Line, f.at.Column
		}
		problems = append(problems, from.problem(k.path+f.part, f.message))
	}
	return problems
}

// streams are those whose key is in the file, be it without a value.
func (d *document) streams() []string {
	return slices.DeleteFunc(streamNames(), func(name string) bool {
		_, there := d.sections[join("streams", name)]
		return !there
	})
}

func (d *document) noStream() Problem {
	const nothing = "no stream is named, so nothing would be synced, "
	if !d.file {
		return origin{}.problem("streams", nothing+"set "+streamsVariable+"="+strings.Join(streamNames(), ","))
	}
	at, ok := d.sections["streams"]
	if !ok {
		at = origin{source: d.name, line: 1, column: 1}
	}
	return at.problem("streams", nothing+"write "+strings.Join(streamNames(), ":, ")+": or some of them under streams:")
}

// keep removes the streams that are not synced.
func (c *Config) keep(streams []string) {
	if !slices.Contains(streams, "alerts") {
		c.Streams.Alerts = nil
	}
	if !slices.Contains(streams, "violations") {
		c.Streams.Violations = nil
	}
	if !slices.Contains(streams, "policy_stats") {
		c.Streams.PolicyStats = nil
	}
}
