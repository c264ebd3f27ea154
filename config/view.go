package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flashback-sync/flashback-sync/schema"
)

// views decodes the files for readers who may see less.
func (d *decoder) views(to *[]View, f field, s setting) {
	for i, item := range d.items(f, s) {
		var view View
		one := field{path: fmt.Sprintf("%s[%d]", f.path, i), value: reflect.ValueOf(&view).Elem()}
		at, before := s.at(item), len(d.problems)
		if item.Kind != yaml.MappingNode {
			d.report(at, one.path, "must be a view"+found(item, false)+", write {name: team-leads, preset: strict, tables: [bi.*]}")
		} else {
			d.section(one, setting{node: item, Position: at})
		}
		if len(d.problems) == before {
			switch {
			case view.Name == "":
				d.report(at, one.path, "must have a name, write {name: team-leads}")
			case slices.ContainsFunc(*to, func(o View) bool { return o.Name == view.Name }):
				d.report(at, one.path, "has the name of another, write each name once")
			}
		}
		*to = append(*to, view)
	}
}

// viewsNode is the environment's way to write views: team-leads:strict:bi.events+bi.users.
func viewsNode(text string) *yaml.Node {
	views := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range split(text, ",") {
		name, rest, _ := strings.Cut(item, ":")
		view := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{textNode("name"), textNode(name)}}
		preset, tables, _ := strings.Cut(rest, ":")
		if preset != "" {
			view.Content = append(view.Content, textNode("preset"), textNode(preset))
		}
		if tables != "" {
			view.Content = append(view.Content, textNode("tables"), listNode(split(tables, "+")))
		}
		views.Content = append(views.Content, view)
	}
	return views
}

// checkViewName is for the name of a file beside flashback.duckdb.
func checkViewName(text string) string {
	if !matches(`^[a-z0-9][a-z0-9_-]{0,62}$`, text) || text == "flashback" {
		return "must be lower-case letters, digits, - and _, and not flashback, write team-leads"
	}
	return ""
}

func checkTables(text string) string {
	if len(tablesOf(text)) == 0 {
		return "is no table or view, write bi.* or a name of the data dictionary such as bi.events_daily"
	}
	return ""
}

// tablesOf are the tables and views that a text names.
func tablesOf(text string) (names []string) {
	for _, table := range schema.Tables() {
		if text == table.Name || text == "*" {
			names = append(names, table.Name)
		}
	}
	for _, view := range schema.Views() {
		if name := schema.ViewSchema + "." + view.Name; text == name || text == schema.ViewSchema+".*" || text == "*" {
			names = append(names, name)
		}
	}
	return names
}

// Names are the tables and views of the file, each once.
func (v View) Names() (names []string) {
	for _, text := range v.Tables {
		for _, name := range tablesOf(text) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Treatments are those of the columns that the file does not have as they are stored.
func (v View) Treatments() map[string]schema.Treatment { return Privacy{Preset: v.Preset}.Treatments() }
