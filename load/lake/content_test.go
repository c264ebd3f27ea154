package lake_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// odd are texts that a careless writer or reader spoils.
var odd = []any{
	nil, "", " ", "null", "a\x00b", "é", "e\u0301", "😀", "\uffff", "line\nline\r\n", `'"\`, `../../x`, "%2e%2e/", "= 1+1",
	strings.Repeat("long é ", 200_000), `{"a": 1.10}`,
}

func oddAlerts() (rows []values) {
	for i, text := range odd {
		row := alert(fmt.Sprintf("%02d", i), epoch.Add(time.Duration(i)*time.Hour))
		row["message"], row["host"], row["user_name"] = text, text, "constant"
		if i%3 == 0 {
			row["extra"] = fmt.Sprintf(`{"n":%d.10,"x":[ 1e400 ],"é":"\u0000"}`, i)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestRowsEqualTheWarehouses(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 24)...))
	s.publish()
	s.checkManifest()
	s.checkRows()
}

// checkRows compares every file with the warehouse, row by row, in order.
func (s *site) checkRows() {
	s.Helper()
	for _, entry := range s.manifest().Files {
		table := schema.ByName(entry.Table)
		want := s.rows(table, entry.Oldest, entry.Newest.Add(time.Microsecond))
		path := filepath.Join(s.dir, filepath.FromSlash(entry.Path))
		if diff := cmp.Diff(want, readWithDuckDB(s, table, path)); diff != "" {
			s.Errorf("%s (-want +got):\n%.2000s", entry.Path, diff)
		}
	}
}

// buckets are hourly statistics of the organisation and of one repo.
func buckets(from time.Time, count int) (rows []values) {
	for i := range count {
		for _, repo := range []any{nil, "repo-1"} {
			rows = append(rows, values{
				"scope": "org", "scope_id": repo, "bucket_size": "1h", "bucket_start": from.Add(time.Duration(i) * time.Hour),
				"alerts": i, "violations": 1 << 62, "closed": i%2 == 0,
			})
		}
	}
	return rows
}

func readWithDuckDB(t testing.TB, table *schema.Table, path string) map[string][]any {
	t.Helper()
	rows := duckDB(t, fmt.Sprintf("SELECT * FROM read_parquet(%s, hive_partitioning = false)", schema.Literal(path)))
	return columns(table, rows)
}

// columns arranges rows by column. Times are UTC.
func columns(table *schema.Table, rows [][]any) map[string][]any {
	all := map[string][]any{}
	for _, row := range rows {
		for i, c := range table.Columns {
			if at, ok := row[i].(time.Time); ok {
				row[i] = at.UTC()
			}
			all[c.Name] = append(all[c.Name], row[i])
		}
	}
	return all
}

// duckDB runs a query in a DuckDB of its own.
func duckDB(t testing.TB, query string) (all [][]any) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return scanned(t, rows)
}

// scanned reads the rows of a query.
func scanned(t testing.TB, rows *sql.Rows) (all [][]any) {
	t.Helper()
	defer func() { _ = rows.Close() }()
	names, _ := rows.Columns()
	for rows.Next() {
		row, places := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Power BI and others refuse the encodings of Parquet's version 2.
func TestFilesHaveEncodingsOfVersion1(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 2)...))
	s.publish()
	files := schema.Literal(filepath.Join(s.dir, "*", "*", "*.parquet"))
	for _, row := range duckDB(t, "SELECT DISTINCT encodings FROM parquet_metadata("+files+")") {
		for encoding := range strings.SplitSeq(fmt.Sprint(row[0]), ", ") {
			if !slices.Contains([]string{"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}, encoding) {
				t.Errorf("encoding %s", encoding)
			}
		}
	}
}

func TestTheManifestSaysWhatColumnsMean(t *testing.T) {
	s := newSite(t)
	s.publish()
	tables := s.manifest().Tables
	if len(tables) != 4 || tables[0].Name != "alerts" || tables[3].Name != "events_daily" {
		t.Fatalf("tables %+v", tables)
	}
	for _, table := range tables {
		declared := schema.ByName(table.Name)
		if table.Comment != declared.Doc || len(table.Columns) != len(declared.Columns) {
			t.Errorf("%s: %q, %d columns", table.Name, table.Comment, len(table.Columns))
		}
		for i, c := range declared.Columns {
			if want := (lake.Column{Name: c.Name, Type: c.Type.DuckDB(), Privacy: c.Privacy, Comment: c.Doc}); table.Columns[i] != want {
				t.Errorf("%s: %+v, want %+v", table.Name, table.Columns[i], want)
			}
		}
	}
}
