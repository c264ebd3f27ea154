package query_test

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// duckDB is what DuckDB itself makes of the columns of a table: its names, and its
// values by an expression.
func duckDB(t *testing.T, path, zone, from, express string) (names []string, rows [][]sql.NullString) {
	t.Helper()
	db, err := duckdb.Open(path, duckdb.Session{ReadOnly: true, TimeZone: zone})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.QueryContext(t.Context(), "SELECT "+express+" FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	if names, err = found.Columns(); err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		row := make([]sql.NullString, len(names))
		targets := make([]any, len(names))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := found.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil || len(rows) == 0 {
		t.Fatal(err, len(rows))
	}
	return names, rows
}

// special are values that DuckDB's own collection lacks.
const special = `(SELECT 'nan'::DOUBLE AS nan, '-inf'::FLOAT AS inf, -0.0::DOUBLE AS zero, 1e20::DOUBLE AS large, 123456789.123::DOUBLE AS x, 0.1::FLOAT AS f,
	'infinity'::TIMESTAMPTZ AS late, '-infinity'::DATE AS early, '0044-03-15 (BC)'::DATE AS bc, TIMESTAMPTZ '2026-10-25 01:30:00.123456+00' AS tz,
	TIMESTAMP '2026-08-30 00:00:00' AS midnight, DATE '2026-08-30' AS day, TIMETZ '11:22:33.5+05:30' AS timetz, TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS ns,
	INTERVAL '-1 year 2 days 90 minutes' AS interval, INTERVAL 90 MINUTE AS short, '{"a": [1, null], "b": "x"}'::JSON AS json, '"text"'::JSON AS json_text,
	['a''b', NULL, 'c, d'] AS list, {'k': {'n': [TIMESTAMPTZ '2026-10-25 01:30:00+00']}} AS deep, MAP {'a': [1]} AS map, MAP {[1]: 'b'} AS listed,
	union_value(num := 2) AS "union", ['nan'::DOUBLE] AS nans, 'b=\xAA'::BLOB AS blob, '101'::BIT AS bit, 12.50::DECIMAL(9,2) AS money,
	'x"y' || chr(10) || 'z' AS lines, repeat('long ', 20000) AS long, NULL AS nothing, 42::VARIANT AS variant, '' AS empty, 'ça–va 🦆' AS text)`

func TestEveryTypePrintsAsDuckDBCastsIt(t *testing.T) {
	path := published(t)
	for _, from := range []string{"types", special} {
		for _, zone := range []string{"", "Asia/Kolkata"} {
			names, want := duckDB(t, path, zone, from, "CAST(COLUMNS(*) AS VARCHAR)")
			asCSV(t, query.Request{Database: path, SQL: "FROM " + from, Zone: zone}, names, want)
			asJSON(t, query.Request{Database: path, SQL: "FROM " + from, Zone: zone}, names, want)
			asTable(t, query.Request{Database: path, SQL: "FROM " + from, Zone: zone}, names, want)
		}
	}
}

func asCSV(t *testing.T, r query.Request, names []string, want [][]sql.NullString) {
	t.Helper()
	r.Format = "csv"
	out, err := run(t, r)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != len(want)+1 || !slices.Equal(rows[0], names) {
		t.Fatalf("%v: %d rows, header %v", err, len(rows), rows[0])
	}
	for i, row := range want {
		for c, value := range row {
			if rows[i+1][c] != visible.Controls(value.String) {
				t.Errorf("csv %s: %q, want %q", names[c], rows[i+1][c], value.String)
			}
		}
	}
}

func asJSON(t *testing.T, r query.Request, names []string, want [][]sql.NullString) {
	t.Helper()
	r.Format = "json"
	out, err := run(t, r)
	if err != nil {
		t.Fatal(err)
	}
	_, nested := duckDB(t, r.Database, r.Zone, strings.TrimPrefix(r.SQL, "FROM "), "CAST(to_json(COLUMNS(*)) AS VARCHAR)")
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != len(want) {
		t.Fatalf("%v: %d rows", err, len(rows))
	}
	for i, row := range want {
		for c, value := range row {
			got := string(rows[i][names[c]])
			var text string
			switch {
			case !value.Valid && got == "null", got == value.String, got == nested[i][c].String:
			case json.Unmarshal([]byte(got), &text) == nil && (text == value.String || text == nested[i][c].String):
			default:
				t.Errorf("json %s: %s, want %q or %s", names[c], got, value.String, nested[i][c].String)
			}
		}
	}
}

// asTable prints one column at a time, so that a value is a line.
func asTable(t *testing.T, r query.Request, names []string, want [][]sql.NullString) {
	t.Helper()
	from := strings.TrimPrefix(r.SQL, "FROM ")
	for c, name := range names {
		r.Format, r.SQL = "table", fmt.Sprintf("SELECT %q FROM %s", name, from)
		out, err := run(t, r)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out, "\n")
		for i, row := range want {
			value := visible.Lines(row[c].String)
			if !row[c].Valid {
				value = "NULL"
			}
			value, _, _ = strings.Cut(value, "\n")
			if got := strings.TrimSpace(lines[i+2]); got != strings.TrimSpace(value) {
				t.Errorf("table %s: %q, want %q", name, got, value)
			}
		}
	}
}

func TestOutputContainsNoTerminalCommands(t *testing.T) {
	path := published(t)
	hostile := `'a' || chr(27) || '[2J' || chr(155) || '31m' || chr(7) || chr(13) || chr(0) || chr(127) || 'z'`
	for _, format := range []string{"table", "csv", "json", "jsonl"} {
		for _, sql := range []string{
			"SELECT " + hostile + " AS v", "SELECT [" + hostile + "] AS v", "SELECT {'k': " + hostile + "} AS v", "SELECT error(" + hostile + ")",
			"SELECT 1 AS \"\x1b[2J\"", "SELECT '\x1b[2J'", "SELECT '\x1b[2J'::INT", "SELEKT '\x1b'",
			"PIVOT (SELECT " + hostile + " AS k) ON k USING count(*)",
		} {
			out, err := run(t, query.Request{Database: path, SQL: sql, Format: format})
			if err != nil {
				out = visible.Lines(err.Error()) // as the command prints it
			}
			if strings.ContainsAny(out, "\x1b\u009b\x07\r\x00\x7f") || strings.Contains(out, "\xc2\x9b") {
				t.Errorf("%s of %q: %q", format, sql, out)
			}
		}
	}
}

func TestTextsAreNotFormulas(t *testing.T) {
	path := published(t)
	for text, want := range map[string]string{
		"=x": "'=x", "+x": "'+x", "-x": "'-x", "@x": "'@x", "\tx": "'\tx", "x=": "x=", "\rx": `\rx`, "a\r\nb": "a\r\nb", "\x1b=": `\x1b=`,
	} {
		out, err := run(t, query.Request{Database: path, SQL: "SELECT '" + text + "' AS \"=head\", -1 AS n, INTERVAL '-1 day' AS i"})
		if err != nil || out != "'=head,n,i\n"+quoted(want)+",-1,-1 day\n" {
			t.Errorf("%q: %q, %v; want %q", text, out, err, want)
		}
	}
}

func quoted(cell string) string {
	if strings.ContainsAny(cell, "\r\n") {
		return `"` + cell + `"`
	}
	return cell
}
