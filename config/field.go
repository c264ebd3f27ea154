package config

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// A field is one key of the file: its path, its tags and the Go value it fills.
// The field without a path is the whole file.
type field struct {
	path   string
	tag    reflect.StructTag
	preset string // the default, as YAML
	value  reflect.Value
}

func fileOf(c *Config) field { return field{value: reflect.ValueOf(c).Elem()} }

// isSection reports whether the field holds other keys.
func (f field) isSection() bool {
	return f.value.Kind() == reflect.Struct && f.value.Type() != reflect.TypeFor[time.Time]()
}

// fields are the keys of a section, in the order of the file. A stream that is
// nil is made.
func (f field) fields() (all []field) {
	for declared, value := range f.value.Fields() {
		name := declared.Tag.Get("yaml")
		if name == "" || !f.has(declared.Tag) {
			continue
		}
		if value.Kind() == reflect.Pointer && value.Type().Elem().Kind() == reflect.Struct {
			if value.IsNil() {
				value.Set(reflect.New(value.Type().Elem()))
			}
			value = value.Elem()
		}
		preset, ok := f.tag.Lookup("default_" + name)
		if !ok {
			preset = declared.Tag.Get("default")
		}
		all = append(all, field{path: join(f.path, name), tag: declared.Tag, preset: preset, value: value})
	}
	return all
}

// has reports whether a key of the section's struct is for this section.
func (f field) has(tag reflect.StructTag) bool {
	only := tag.Get("only")
	return only == "" || slices.Contains(strings.Split(f.path, "."), only)
}

// all are the keys and sections below a section, each before what it holds.
func (f field) all() iter.Seq[field] {
	return func(yield func(field) bool) {
		for _, child := range f.fields() {
			if !yield(child) {
				return
			}
			if !child.isSection() {
				continue
			}
			for deeper := range child.all() {
				if !yield(deeper) {
					return
				}
			}
		}
	}
}

// keys are all fields that hold a value, in the order of the file.
func keys() (all []field) {
	for f := range fileOf(&Config{}).all() {
		if !f.isSection() {
			all = append(all, f)
		}
	}
	return all
}

// names are the keys that may be directly in a section.
func (f field) names() (names []string) {
	for _, child := range f.fields() {
		names = append(names, child.name())
	}
	return names
}

// listed are the names for a message.
func (f field) listed() string { return list(slices.Sorted(slices.Values(f.names()))) }

func (f field) name() string { return lastName(f.path) }

func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// presetNode is the default; nil if the key has none.
func (f field) presetNode() *yaml.Node {
	if f.preset == "" {
		return nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(f.preset), &document); err != nil {
		panic("config: the default of " + f.path + " is not YAML") // a test reads every default
	}
	return document.Content[0]
}

// streamNames are the keys under streams.
func streamNames() []string {
	return field{value: reflect.ValueOf(&Streams{}).Elem()}.names()
}
