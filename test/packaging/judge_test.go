// Package packaging judges what deploy/ and the Dockerfile say by our own rules:
// what a schema or a linter cannot know, since it is a contract with this program.
// What needs tools from elsewhere is in run.sh.
//
// Its invariant: every rule is shown to refuse a file that was spoiled for it, so
// that none can come to approve of everything.
package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/config"
)

const root = "../.."

// spoiled is a file with one mistake, and a part of what is to be said of it.
type spoiled struct{ name, old, new, want string }

// judge expects no complaint of the file, and the right one of every spoiled copy.
func judge(t *testing.T, file string, check func(content string) []string, copies ...spoiled) {
	t.Helper()
	content := read(t, file)
	for _, problem := range check(content) {
		t.Errorf("%s: %s", file, problem)
	}
	for _, s := range copies {
		t.Run(s.name, func(t *testing.T) {
			broken := strings.Replace(content, s.old, s.new, 1)
			if broken == content {
				t.Fatalf("%s has no %q to spoil", file, s.old)
			}
			problems := check(broken)
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, s.want) }) {
				t.Errorf("the mistake is not found: want %q, got %q", s.want, problems)
			}
		})
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// report collects problems.
type report []string

func (r *report) expect(ok bool, format string, args ...any) {
	if !ok {
		*r = append(*r, fmt.Sprintf(format, args...))
	}
}

// node is a document without types. What is not there is an empty node.
type node struct{ value any }

func parseYAML(content string) (node, error) {
	var value any
	err := yaml.Unmarshal([]byte(content), &value)
	return node{value}, err
}

func parseJSON(content string) (node, error) {
	var value any
	err := json.Unmarshal([]byte(content), &value)
	return node{value}, err
}

// at goes down by keys.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		fields, _ := n.value.(map[string]any)
		n = node{fields[key]}
	}
	return n
}

func (n node) items() (items []node) {
	list, _ := n.value.([]any)
	for _, item := range list {
		items = append(items, node{item})
	}
	return items
}

func (n node) keys() (keys []string) {
	fields, _ := n.value.(map[string]any)
	for key := range fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (n node) missing() bool { return n.value == nil }

func (n node) String() string {
	if n.value == nil {
		return ""
	}
	return fmt.Sprint(n.value)
}

func (n node) number() float64 {
	switch v := n.value.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return -1
}

// accepted asks the program's own reader what it says of a configuration file
// ("" for none) and variables.
func accepted(file string, variables map[string]string) error {
	var environ []string
	for name, value := range variables {
		environ = append(environ, name+"="+value)
	}
	lookUp := func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
	if file == "" {
		_, err := config.Load("", lookUp, environ...)
		return err
	}
	_, err := config.Parse([]byte(file), "flashback-sync.yaml", lookUp, environ...)
	return err
}
