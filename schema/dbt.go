package schema

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

type dbtSource struct {
	Name        string     `yaml:"name"`
	Description string     `yaml:"description"`
	Database    string     `yaml:"database"`
	Schema      string     `yaml:"schema"`
	Tables      []dbtTable `yaml:"tables"`
}

type dbtTable struct {
	Name        string      `yaml:"name"`
	Description string      `yaml:"description"`
	Config      *dbtConfig  `yaml:"config,omitempty"`
	Columns     []dbtColumn `yaml:"columns"`
	Tests       []dbtTest   `yaml:"data_tests,omitempty"`
}

// dbtConfig says how old the data may be, and where dbt finds its age.
type dbtConfig struct {
	LoadedAt  string       `yaml:"loaded_at_query"`
	Freshness dbtFreshness `yaml:"freshness"`
}

type dbtFreshness struct {
	Warn  dbtPeriod `yaml:"warn_after"`
	Error dbtPeriod `yaml:"error_after"`
}

type dbtPeriod struct {
	Count  int    `yaml:"count"`
	Period string `yaml:"period"`
}

type dbtColumn struct {
	Name        string    `yaml:"name"`
	Description string    `yaml:"description"`
	DataType    string    `yaml:"data_type"`
	Quote       bool      `yaml:"quote"` // some names are reserved words: window, end
	Config      dbtMeta   `yaml:"config,omitempty"`
	Tests       []dbtTest `yaml:"data_tests,omitempty"`
}

type dbtMeta struct {
	Meta map[string]Privacy `yaml:"meta,omitempty"`
}

// dbtTest is the name of a test, or a map of that name to its settings.
type dbtTest any

// dbtSources writes a sources.yml for dbt-duckdb. The database is named after
// the published file, as DuckDB names an attached file: flashback.
func dbtSources(tables []*Table, views []*View) ([]byte, error) {
	raw := dbtSource{
		Name: "flashback", Database: "flashback", Schema: "main",
		Description: "AI-policy alerts, violations and statistics, copied by flashback-sync.",
	}
	for _, t := range tables {
		raw.Tables = append(raw.Tables, dbtOfTable(t))
	}
	answers := dbtSource{
		Name: "flashback_" + ViewSchema, Database: "flashback", Schema: ViewSchema,
		Description: "Views for analysts: latest names, true sums, and whether each day is proven complete.",
	}
	for _, v := range views {
		answers.Tables = append(answers.Tables, dbtOfView(v))
	}
	return yaml.Marshal(map[string]any{"version": 2, "sources": []dbtSource{raw, answers}})
}

func dbtOfTable(t *Table) dbtTable {
	table := dbtTable{Name: t.Name, Description: t.Doc, Tests: dbtKey(t.Name, t.Key)}
	for _, s := range Streams() {
		if s.Table.Name == t.Name {
			table.Config = dbtFresh(s.Name)
		}
	}
	for _, c := range t.Stored() {
		column := dbtColumn{c.Name, c.Doc, c.Type.DuckDB(), true, dbtMeta{map[string]Privacy{"privacy": c.Privacy}}, nil}
		if c.NotNull {
			column.Tests = append(column.Tests, "not_null")
		}
		if c.Values != nil {
			column.Tests = append(column.Tests, dbtValues(c.Values))
		}
		table.Columns = append(table.Columns, column)
	}
	return table
}

func dbtOfView(v *View) dbtTable {
	view := dbtTable{Name: v.Name, Description: v.Doc, Tests: dbtKey(ViewSchema+"_"+v.Name, v.Key)}
	for _, c := range v.Columns {
		column := dbtColumn{Name: c.Name, Description: c.Doc, DataType: c.Type, Quote: true}
		if values := v.Values[c.Name]; values != nil {
			column.Tests = append(column.Tests, dbtValues(values))
		}
		if to := v.References[c.Name]; to != "" {
			column.Tests = append(column.Tests, map[string]any{"relationships": map[string]any{
				"arguments": map[string]string{"to": fmt.Sprintf("source('flashback_%s', '%s')", ViewSchema, to), "field": "id"},
			}})
		}
		view.Columns = append(view.Columns, column)
	}
	return view
}

// dbtKey tests that the key is unique. A row is never NULL, and NULLs in it are equal.
func dbtKey(name string, key []string) []dbtTest {
	columns := make([]string, len(key))
	for i, k := range key {
		columns[i] = Ident(k)
	}
	return []dbtTest{map[string]any{"unique": map[string]any{
		"name": "unique_key_of_" + name, "arguments": map[string]string{"column_name": "row(" + strings.Join(columns, ", ") + ")"},
	}}}
}

// dbtValues warns of other values: the source may add some.
func dbtValues(values []string) dbtTest {
	return map[string]any{"accepted_values": map[string]any{
		"arguments": map[string][]string{"values": values}, "config": map[string]string{"severity": "warn"},
	}}
}

// dbtFresh is the age of a stream: when a run last read everything that was due. It warns
// if a nightly run is half a day late.
func dbtFresh(stream string) *dbtConfig {
	return &dbtConfig{
		LoadedAt:  "SELECT make_timestamp(epoch_us(max(finished_at))) FROM flashback.main.sync_runs WHERE complete AND stream = " + Literal(stream),
		Freshness: dbtFreshness{dbtPeriod{36, "hour"}, dbtPeriod{72, "hour"}},
	}
}
