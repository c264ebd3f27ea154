package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/schema"
)

// A field is one key of the file: its path, its tags and the Go value it fills.
// The field without a path is the whole file.
type field struct {
	path   string
	tag    reflect.StructTag
	preset string // the default, as YAML
	value  reflect.Value
	stream *schema.Stream // that the key is for; nil if it is for none
}

func fileOf(c *Config) field { return field{value: reflect.ValueOf(c).Elem()} }

// isSection reports whether the field holds other keys.
func (f field) isSection() bool {
	return f.value.Kind() == reflect.Struct && f.value.Type() != reflect.TypeFor[time.Time]()
}

// fields are the keys of a section, in the order of the file.
func (f field) fields() (all []field) {
	for declared, value := range f.value.Fields() {
		if kind := declared.Tag.Get("streams"); kind != "" {
			all = append(all, f.ofStreams(kind, declared.Tag, value)...)
			continue
		}
		name := declared.Tag.Get("yaml")
		if name == "" || !f.has(declared.Tag) {
			continue
		}
		preset := declared.Tag.Get("default")
		if name == "optional" {
			preset = strconv.FormatBool(f.stream.Optional)
		}
		all = append(all, field{path: join(f.path, name), tag: declared.Tag, preset: preset, value: value, stream: f.stream})
	}
	return all
}

// ofStreams are the keys of streams in a map, one for each stream of the kind. An
// entry that is missing is made.
func (f field) ofStreams(kind string, tag reflect.StructTag, entries reflect.Value) (all []field) {
	if entries.IsNil() {
		entries.Set(reflect.MakeMap(entries.Type()))
	}
	for _, stream := range schema.Streams() {
		if kind != "all" && kind != map[schema.Kind]string{schema.List: "list", schema.Series: "series"}[stream.Kind] {
			continue
		}
		name := reflect.ValueOf(stream.Name)
		if !entries.MapIndex(name).IsValid() {
			entries.SetMapIndex(name, reflect.New(entries.Type().Elem().Elem()))
		}
		all = append(all, field{path: join(f.path, stream.Name), tag: tag, preset: tag.Get("default"), value: entries.MapIndex(name).Elem(), stream: stream})
	}
	return all
}

// doc says what the key is for.
func (f field) doc() string {
	if f.stream != nil && f.isSection() && f.name() == f.stream.Name {
		return f.stream.Doc
	}
	return f.tag.Get("doc")
}

// has reports whether a key of the section's struct is for this section.
func (f field) has(tag reflect.StructTag) bool {
	filter := tag.Get("filter")
	return filter == "" || slices.Contains(f.stream.Filters, filter)
}

// all are the keys and sections below a section, each before what it holds.
func (f field) all() (all []field) {
	for _, child := range f.fields() {
		all = append(all, child)
		if child.isSection() {
			all = append(all, child.all()...)
		}
	}
	return all
}

// keys are all fields that hold a value, in the order of the file.
func keys() []field { return slices.DeleteFunc(fileOf(&Config{}).all(), field.isSection) }

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
func streamNames() (names []string) {
	for _, stream := range schema.Streams() {
		names = append(names, stream.Name)
	}
	return names
}
