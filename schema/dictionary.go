package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Formats lists what Dictionary can write.
func Formats() []string { return []string{"markdown", "json", "sql", "dbt"} }

// Dictionary writes the data dictionary: as Markdown to read, as JSON for
// programs, as the SQL that makes tables and views, or as a dbt sources.yml.
func Dictionary(format string, tables []*Table, views []*View) ([]byte, error) {
	switch format {
	case "markdown":
		return markdown(tables, views), nil
	case "json":
		return jsonDictionary(tables, views)
	case "sql":
		return sqlScript(tables, views), nil
	case "dbt":
		return dbtSources(tables, views)
	}
	return nil, fmt.Errorf("unknown format %q: use one of %s", format, strings.Join(Formats(), ", "))
}

func markdown(tables []*Table, views []*View) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Data dictionary\n\nSchema version %d. Times are UTC.\n\n%s\n", Version, timestamps)
	for _, t := range tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\nKey: %s.", t.Name, t.Doc, strings.Join(t.Key, ", "))
		if file := t.LakePath(); file != "" {
			fmt.Fprintf(&b, " Parquet: `lake/%s`.", file)
		}
		b.WriteString("\n\n| column | type | null | API field | privacy | meaning |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, c := range t.Stored() {
			null := "yes"
			if c.NotNull {
				null = "no"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.Name, c.Type.DuckDB(), null, c.API, c.Privacy, c.Doc)
		}
	}
	for _, v := range views {
		fmt.Fprintf(&b, "\n## %s.%s\n\n%s\n\nKey: %s.\n\n| column | type | meaning |\n| --- | --- | --- |\n", ViewSchema, v.Name, v.Doc, strings.Join(v.Key, ", "))
		for _, c := range v.Columns {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Type, c.Doc)
		}
	}
	return b.Bytes()
}

// LakePath is the pattern of the table's Parquet files below lake/, or "".
func (t *Table) LakePath() string {
	switch t.Partition {
	case ByDay:
		return fmt.Sprintf("%s/date=*/%s.parquet", t.Name, t.Name)
	case ByMonth:
		return fmt.Sprintf("%s/month=*/%s.parquet", t.Name, t.Name)
	}
	return ""
}

type jsonTable struct {
	Name    string       `json:"name"`
	Doc     string       `json:"description"`
	Key     []string     `json:"key"`
	Time    string       `json:"time_column"`
	Parquet string       `json:"parquet,omitempty"`
	Columns []jsonColumn `json:"columns"`
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

type jsonView struct {
	Name    string           `json:"name"`
	Doc     string           `json:"description"`
	Key     []string         `json:"key"`
	Columns []jsonViewColumn `json:"columns"`
}

type jsonViewColumn struct {
	Name string `json:"name"`
	Type string `json:"duckdb_type"`
	Doc  string `json:"description"`
}

func jsonDictionary(tables []*Table, views []*View) ([]byte, error) {
	out := struct {
		Version int         `json:"schema_version"`
		Tables  []jsonTable `json:"tables"`
		Views   []jsonView  `json:"views"`
	}{Version: Version}
	for _, v := range views {
		view := jsonView{Name: ViewSchema + "." + v.Name, Doc: v.Doc, Key: v.Key}
		for _, c := range v.Columns {
			view.Columns = append(view.Columns, jsonViewColumn(c))
		}
		out.Views = append(out.Views, view)
	}
	for _, t := range tables {
		jt := jsonTable{Name: t.Name, Doc: t.Doc, Key: t.Key, Time: t.Time, Parquet: t.LakePath()}
		for _, c := range t.Stored() {
			jt.Columns = append(jt.Columns, jsonColumn{
				c.Name, c.Type.DuckDB(), c.Type.Arrow().String(), !c.NotNull, c.API, c.Privacy, c.Doc,
			})
		}
		out.Tables = append(out.Tables, jt)
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}

func sqlScript(tables []*Table, views []*View) []byte {
	var b bytes.Buffer
	for _, t := range tables {
		b.WriteString(strings.Join(t.DDL(), ";\n") + ";\n\n")
	}
	if len(views) > 0 {
		b.WriteString("CREATE SCHEMA " + ViewSchema + ";\n\n")
	}
	for _, v := range views {
		b.WriteString(strings.Join(v.DDL(), ";\n") + ";\n\n")
	}
	return b.Bytes()
}

// timestamps says what is read as one: see package instant.
const timestamps = `A timestamp of the source is ISO 8601: any UTC offset (without one it is UTC), a space or t for the T, seconds may be absent, a fraction of any
length after a point or a comma (cut to the microsecond), a date alone (its midnight). 24:00:00 is the midnight that ends the day; a leap second, 23:59:60 in
UTC, is the first second of the next day; +002024 is 2024. Years beyond 9999 and any other text reject the record: it is kept in rejected_records.`
