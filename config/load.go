package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// maxFile is far above any configuration; it bounds what a wrong path costs.
const maxFile = 1 << 20

// Load reads the file at path, or none if path is "", and overlays the
// environment. Without a file FLASHBACK_SYNC_STREAMS names the streams.
//
// env looks a variable up, as os.LookupEnv does. environ lists what there is,
// as os.Environ does, so that a misspelt FLASHBACK_SYNC_ variable is found;
// without it none is looked for. Only its names are used.
//
// The error is [Problems] if the configuration is wrong, otherwise it says why the
// file cannot be read.
func Load(path string, env func(string) (string, bool), environ ...string) (*Config, error) {
	if path == "" {
		return newDecoder(env, setting{}).assemble(environ)
	}
	data, err := readSome(path, maxFile+1)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(data, path, env, environ...)
}

// readSome is how a file begins, in so many bytes at most.
func readSome(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, most))
}

// Parse is [Load] with a file that was read already. name is what messages call it in
// problems. env may be nil: no overrides.
func Parse(data []byte, name string, env func(string) (string, bool), environ ...string) (*Config, error) {
	root, problem := parseYAML(data)
	if problem != nil {
		problem.Source = name
		return nil, Problems{*problem}
	}
	file := setting{node: root, Position: Position{name, 1, 1}}
	return newDecoder(env, file).assemble(environ)
}

func newDecoder(env func(string) (string, bool), file setting) *decoder {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	return &decoder{
		file: file, env: env, config: &Config{Path: file.Source},
		written: map[any]setting{}, sections: map[string]setting{},
	}
}

// assemble decodes and validates the file, the environment and the defaults, and
// reports everything that is wrong at once.
func (d *decoder) assemble(environ []string) (*Config, error) {
	c := d.config
	streams := d.namedStreams()
	d.section(fileOf(c), d.file)
	if d.file.node != nil {
		streams = slices.DeleteFunc(streamNames(), func(name string) bool { return d.sections["streams."+name].node == nil })
	}
	d.chooseSecret("token", defaultTokenEnv, &c.API.TokenEnv, &c.API.TokenFile, &c.API.TokenCommand)
	d.chooseSecret("key", defaultKeyEnv, &c.Privacy.KeyEnv, &c.Privacy.KeyFile, &c.Privacy.KeyCommand)
	d.validatePrivacy(&c.Privacy, c.Streams)
	d.validatePolicies(c.Streams.Lists)
	d.validateSchedules(c.Schedule.Streams, streams)
	d.unknownVariables(environ)
	if len(streams) == 0 && !slices.ContainsFunc(d.problems, func(p Problem) bool { return strings.HasPrefix(p.Key, "streams") }) {
		d.reportNoStream()
	}
	if len(d.problems) > 0 {
		d.problems.sort()
		return nil, d.problems
	}
	c.keep(streams)
	c.API.BaseURL = strings.TrimRight(c.API.BaseURL, "/")
	if c.Schedule.Verify == off {
		c.Schedule.Verify = ""
	}
	return c, nil
}

// keep removes the streams that are not synced, and schedules and retentions that say nothing.
func (c *Config) keep(streams []string) {
	unwanted := func(name string) bool { return !slices.Contains(streams, name) }
	maps.DeleteFunc(c.Streams.Lists, func(name string, _ *ListStream) bool { return unwanted(name) })
	maps.DeleteFunc(c.Streams.Series, func(name string, _ *StatsStream) bool { return unwanted(name) })
	maps.DeleteFunc(c.Schedule.Streams, func(_ string, own *string) bool { return *own == "" })
	maps.DeleteFunc(c.Retention.Streams, func(_ string, own *time.Duration) bool { return *own == 0 })
}
