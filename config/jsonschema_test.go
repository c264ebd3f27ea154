package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func parsedSchema(t *testing.T) map[string]any {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(JSONSchema(), &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// leaves are the paths of a schema's keys that hold values.
func leaves(path string, s map[string]any) []string {
	properties, ok := s["properties"].(map[string]any)
	if _, isKey := s["default"]; isKey || !ok {
		return []string{path}
	}
	var paths []string
	for name, child := range properties {
		paths = append(paths, leaves(join(path, name), child.(map[string]any))...)
	}
	return paths
}

func TestSchemaHasTheDecodersKeys(t *testing.T) {
	var want []string
	for _, k := range keys() {
		want = append(want, k.path)
	}
	slices.Sort(want)
	got := leaves("", parsedSchema(t))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-decoder +schema)\n%s", diff)
	}
}

func TestSchemaDescribesEverythingAndAllowsNothingElse(t *testing.T) {
	var walk func(path string, s map[string]any)
	walk = func(path string, s map[string]any) {
		if description, _ := s["description"].(string); description == "" {
			t.Errorf("%s: no description", path)
		}
		if properties, ok := s["properties"].(map[string]any); ok {
			if s["additionalProperties"] != false {
				t.Errorf("%s: allows other keys", path)
			}
			for name, child := range properties {
				walk(join(path, name), child.(map[string]any))
			}
		}
	}
	walk("", parsedSchema(t))
}

func TestSchemaDefaultsAreTheDecoders(t *testing.T) {
	file := map[string]any{}
	var fill func(into map[string]any, s map[string]any)
	fill = func(into, s map[string]any) {
		for name, child := range s["properties"].(map[string]any) {
			child := child.(map[string]any)
			if preset, ok := child["default"]; ok {
				into[name] = preset
			} else if child["properties"] != nil {
				section := map[string]any{}
				fill(section, child)
				into[name] = section
			}
		}
	}
	fill(file, parsedSchema(t))
	data, err := yaml.Dump(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(data, "f", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults(streamNames()...)
	want.Path = "f"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSchemaAcceptsWhatTheDecoderAccepts(t *testing.T) {
	good := map[string][]byte{"the template": Template("")}
	for _, path := range files(t, "testdata/good/*.yaml") {
		good[filepath.Base(path)] = read(t, path)
	}
	for name, data := range good {
		for _, wrong := range violationsOf(parsedSchema(t), asJSON(t, data), "") {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

func TestSchemaRefusesUnknownKeysAndWrongTypes(t *testing.T) {
	for name, want := range map[string]int{"types.yaml": 18, "no-streams-key.yaml": 1, "scopes-empty.yaml": 1} {
		got := violationsOf(parsedSchema(t), asJSON(t, read(t, "testdata/bad/"+name)), "")
		if len(got) != want {
			t.Errorf("%s: %d violations instead of %d:\n%s", name, len(got), want, strings.Join(got, "\n"))
		}
	}
	for _, text := range []string{"streams: {alert: }", "streams: {alerts: {filter: {severity: []}}}", "streams: {alerts: }\ntoken: x"} {
		if len(violationsOf(parsedSchema(t), asJSON(t, []byte(text)), "")) == 0 {
			t.Errorf("%s is accepted", text)
		}
	}
}

// asJSON is a YAML text as a YAML 1.2 editor sees it: dates are text.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Load(data, &n); err != nil {
		t.Fatal(err)
	}
	var convert func(n *yaml.Node) any
	convert = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			object := map[string]any{}
			for i := 0; i < len(n.Content); i += 2 {
				object[n.Content[i].Value] = convert(n.Content[i+1])
			}
			return object
		case yaml.SequenceNode:
			list := []any{}
			for _, item := range n.Content {
				list = append(list, convert(item))
			}
			return list
		}
		if slices.Contains([]string{"!!str", "!!timestamp", "!custom"}, n.ShortTag()) {
			return n.Value
		}
		var scalar any
		if err := json.Unmarshal([]byte(strings.Replace(n.Value, "~", "null", 1)), &scalar); err != nil && n.Value != "" {
			t.Fatal(err)
		}
		return scalar
	}
	return convert(n.Content[0])
}

// violationsOf checks a value by the few rules the schema uses.
func violationsOf(s map[string]any, value any, path string) []string {
	var wrong []string
	fail := func(format string, args ...any) {
		wrong = append(wrong, path+": "+fmt.Sprintf(format, args...))
	}
	number := s["type"] == "number" && typeOf(value) == "integer"
	if !number && !slices.Contains(types(s["type"]), typeOf(value)) {
		fail("is %s instead of %v", typeOf(value), s["type"])
		return wrong
	}
	switch value := value.(type) {
	case string:
		if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(value)) {
			fail("is not in %v", enum)
		}
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(value) {
			fail("does not match %s", pattern)
		}
		if least, ok := s["minLength"].(float64); ok && float64(utf8.RuneCountInString(value)) < least {
			fail("is too short")
		}
	case float64:
		if least, ok := s["minimum"].(float64); ok && value < least {
			fail("is too small")
		}
		if most, ok := s["maximum"].(float64); ok && value > most {
			fail("is too large")
		}
	case []any:
		if least, ok := s["minItems"].(float64); ok && float64(len(value)) < least {
			fail("has too few items")
		}
		for i, item := range value {
			wrong = append(wrong, violationsOf(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		if least, ok := s["minProperties"].(float64); ok && float64(len(value)) < least {
			fail("has too few keys")
		}
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := value[name.(string)]; !ok {
				fail("%s is missing", name)
			}
		}
		for name, child := range value {
			if property, ok := s["properties"].(map[string]any)[name].(map[string]any); ok {
				wrong = append(wrong, violationsOf(property, child, join(path, name))...)
			} else {
				fail("%s is unknown", name)
			}
		}
	}
	return wrong
}

func types(wanted any) []string {
	if one, ok := wanted.(string); ok {
		return []string{one}
	}
	var all []string
	for _, one := range wanted.([]any) {
		all = append(all, one.(string))
	}
	return all
}

func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
