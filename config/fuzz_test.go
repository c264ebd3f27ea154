package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// FuzzParse: nothing panics, every problem has its position, and a
// configuration that is written out with all its defaults means the same.
func FuzzParse(f *testing.F) {
	f.Add(string(Template("")))
	for _, text := range []string{
		"streams: {alerts: }", "streams: &a {alerts: *a}", "streams:\n\talerts:", "a: &a [*a]", "? {a: b}\n: !!int x", "- a\n---\n- b",
		"streams: {policy_stats: {scopes: [{scope: repo, ids: [auto]}], bucket: 1d}}",
		"streams: {violations: {filter: {severity: [HIGH], block: yes}, start: 2024-01-01T00:00:00.5+01:00, lookback: 1d2h3m4.5s}}",
		"api: {token_command: |-\n  a\n  b\n}", "api: {base_url: 'http://[::1%25lo]:1//', requests_per_second: 1e-3}\nstreams: {alerts: }",
		"schedule: {sync: 'TZ=UTC'}", "<<: {a: b}", "%YAML 1.1\n---\na: b", "\ufeffstreams: {alerts: }", "\xff\xfes\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse([]byte(text), "f", nil)
		if err != nil {
			checkProblems(t, err)
			return
		}
		again, err := Parse(written(t, got), "f", nil)
		if err != nil {
			t.Fatalf("written out it is wrong: %v\n%s", err, written(t, got))
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("written out it differs (-first +second)\n%s", diff)
		}
	})
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("got %v, want problems", err)
	}
	sorted := slices.IsSortedFunc(problems, func(a, b Problem) int {
		return slices.Compare([]int{a.Line, a.Column}, []int{b.Line, b.Column})
	})
	if !sorted {
		t.Errorf("not in the order of the file:\n%v", err)
	}
	for _, p := range problems {
		if p.Line < 1 || p.Column < 1 || p.Source != "f" || strings.Contains(p.String(), "\n") {
			t.Errorf("a problem without position, or of several lines: %#v", p)
		}
	}
}

// written is a configuration as a file that leaves nothing out.
func written(t *testing.T, c *Config) []byte {
	t.Helper()
	synced := map[string]bool{
		"alerts": c.Streams.Synced("alerts"), "violations": c.Streams.Synced("violations"), "policy_stats": c.Streams.Synced("policy_stats"),
	}
	full := *c
	full.Streams = Streams{maps.Clone(c.Streams.Lists), maps.Clone(c.Streams.Series)}
	full.Schedule.Streams = maps.Clone(c.Schedule.Streams)
	full.Retention.Streams = maps.Clone(c.Retention.Streams)
	root := map[string]any{}
	for _, f := range fileOf(&full).all() {
		parts := strings.Split(f.path, ".")
		if f.isSection() || parts[0] == "streams" && !synced[parts[1]] {
			continue
		}
		section := root
		for _, name := range parts[:len(parts)-1] {
			if section[name] == nil {
				section[name] = map[string]any{}
			}
			section = section[name].(map[string]any)
		}
		if kept, ok := f.value.Addr().Interface().(*time.Duration); ok && f.tag.Get("days") != "" {
			section[f.name()] = map[bool]string{true: "keep", false: fmt.Sprintf("%dd", *kept/(24*time.Hour))}[*kept == 0]
		} else if value := plainValue(f.value.Addr().Interface()); value != nil {
			section[f.name()] = value
		}
	}
	data, err := yaml.Dump(root)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// plainValue is a field as the file writes it, nil if it is left out.
func plainValue(field any) any {
	switch field := field.(type) {
	case *[]string:
		return append([]string{}, *field...)
	case **bool:
		if *field == nil {
			return nil
		}
		return **field
	case *time.Duration:
		return field.String()
	case *time.Time:
		return field.Format(time.RFC3339Nano)
	case *[]Scope:
		var all []map[string]any
		for _, s := range *field {
			all = append(all, map[string]any{"scope": s.Scope, "ids": append([]string{}, s.IDs...)})
		}
		return all
	}
	return field
}
