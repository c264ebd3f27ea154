package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"text/template"

	"go.yaml.in/yaml/v4"
)

// Formats lists what Dictionary can write.
func Formats() []string { return []string{"markdown", "json", "sql", "dbt"} }

// Dictionary writes the data dictionary: as Markdown to read, as JSON for
// programs, as the SQL that makes tables and views, or as a dbt sources.yml.
func Dictionary(format string, tables []*Table, views []*View) ([]byte, error) {
	if format == "json" {
		return jsonDictionary(tables, views)
	}
	t := dictionary().Lookup(format + ".tmpl")
	if t == nil {
		return nil, fmt.Errorf("unknown format %q: use one of %s", format, strings.Join(Formats(), ", "))
	}
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{"Version": Version, "ViewSchema": ViewSchema, "Tables": tables, "Views": views})
	return b.Bytes(), err
}

// dictionary has the formats that are not JSON.
var dictionary = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"join": strings.Join, "yaml": asYAML, "key": dbtKey, "stream": streamOf,
	}).ParseFS(files, "dictionary/*"))
})

// asYAML is a text as YAML writes it, in quotes if it needs them.
func asYAML(text string) (string, error) {
	b, err := yaml.Marshal(text)
	return strings.TrimSpace(string(b)), err
}

// dbtKey is the row of a key's columns, and of what it is the key.
func dbtKey(name string, key []string) map[string]string {
	columns := make([]string, len(key))
	for i, k := range key {
		columns[i] = Ident(k)
	}
	return map[string]string{"Name": name, "Row": "row(" + strings.Join(columns, ", ") + ")"}
}

// LakePath is the pattern of the table's Parquet files below lake/, or "".
func (t *Table) LakePath() string {
	c := t.PartitionColumn()
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%s/%s=*/%[1]s.parquet", t.Name, c.Name)
}

// jsonTable is a table or view as JSON has it.
type jsonTable struct {
	Name    string   `json:"name"`
	Doc     string   `json:"description"`
	Key     []string `json:"key"`
	Time    string   `json:"time_column,omitempty"`
	Parquet string   `json:"parquet,omitempty"`
	Columns any      `json:"columns"`
}

type jsonColumn struct {
	Name     string  `json:"name"`
	Type     string  `json:"duckdb_type"`
	Arrow    string  `json:"arrow_type"`
	Nullable bool    `json:"nullable"`
	API      string  `json:"api_field,omitempty"`
	Privacy  Privacy `json:"privacy"`
	Doc      string  `json:"description"`
}

func jsonDictionary(tables []*Table, views []*View) ([]byte, error) {
	out := struct {
		Version int         `json:"schema_version"`
		Tables  []jsonTable `json:"tables"`
		Views   []jsonTable `json:"views"`
	}{Version: Version}
	for _, v := range views {
		out.Views = append(out.Views, jsonTable{Name: ViewSchema + "." + v.Name, Doc: v.Doc, Key: v.Key, Columns: v.Columns})
	}
	for _, t := range tables {
		var columns []jsonColumn
		for _, c := range t.Stored() {
			columns = append(columns, jsonColumn{c.Name, c.Type.DuckDB(), c.Type.Arrow().String(), !c.NotNull, c.API, c.Privacy, c.Doc})
		}
		out.Tables = append(out.Tables, jsonTable{t.Name, t.Doc, t.Key, t.Time, t.LakePath(), columns})
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}
