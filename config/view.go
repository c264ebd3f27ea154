package config

import (
	"slices"

	"github.com/flashback-sync/flashback-sync/schema"
)

// validate says what is wrong with a view after others.
func (v View) validate(others []View) string {
	switch {
	case v.Name == "":
		return "must have a name, write {name: team-leads}"
	case slices.ContainsFunc(others, func(o View) bool { return o.Name == v.Name }):
		return "has the name of another, write each name once"
	}
	return ""
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
