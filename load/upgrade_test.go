package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// A warehouse of every earlier layout becomes the same as a new one: tables,
// columns and their comments.
func TestMigrationsMakeTheLayoutOfANewWarehouse(t *testing.T) {
	for version := 1; version < schema.Version; version++ {
		t.Run(fmt.Sprint("from version ", version), func(t *testing.T) {
			ddl, err := os.ReadFile(fmt.Sprintf("testdata/schema_v%d.sql", version))
			if err != nil {
				t.Fatal(err)
			}
			old, fresh := t.TempDir(), t.TempDir()
			if err := os.MkdirAll(filepath.Dir(load.File(old)), 0o750); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("duckdb", load.File(old))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(fmt.Sprintf(`CREATE SCHEMA internal;
				CREATE TABLE internal.meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
				CREATE TABLE internal.changed_partitions (table_name VARCHAR NOT NULL, partition_start TIMESTAMPTZ NOT NULL);
				CREATE TABLE internal.unsettled (stream VARCHAR NOT NULL, run_id VARCHAR NOT NULL);
				INSERT INTO internal.meta VALUES ('application', 'flashback-sync'), ('schema_version', '%d'); %s;
				INSERT INTO internal.changed_partitions VALUES ('alerts', '2024-01-01 00:00:00Z');
				INSERT INTO internal.unsettled VALUES ('alerts', 'run-1'), ('policy_stats', 'run-1'), ('policy_stats_summary', 'run-1');
				INSERT INTO alerts (id, timestamp, _run_id, _first_synced_at, _last_changed_at)
					SELECT n, TIMESTAMPTZ '2024-01-01 20:00:00Z' + to_hours(n::INTEGER), 'run-1', '2024-01-03 00:00:00Z', '2024-01-03 00:00:00Z' FROM range(10) r(n)`, version, ddl))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if !takeOver(t, old) || takeOver(t, fresh) {
				t.Error("a migration marks that the new layout is not published, and nothing else does")
			}
			if got := query(t, old, "SELECT string_agg(stream, ' ') FROM internal.unsettled"); got != "alerts" {
				t.Errorf("runs to dedupe: %s", got)
			}
			if got := query(t, old, "SELECT string_agg(table_name || ' ' || partition_start::DATE, ', ' ORDER BY partition_start) FROM internal.changed_partitions"); got != "alerts 2024-01-01, alerts 2024-01-02" {
				t.Errorf("partitions to be written again: %s", got)
			}
			if got, want := layout(t, old), layout(t, fresh); got != want {
				t.Errorf("migrated:\n%s\nnew:\n%s", got, want)
			}
		})
	}
}

func takeOver(t *testing.T, dir string) (migrated bool) {
	t.Helper()
	w, err := load.Open(context.Background(), load.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	_, err = os.Lstat(filepath.Join(dir, load.Unpublished))
	return err == nil
}

func layout(t *testing.T, dir string) string {
	t.Helper()
	db, err := duckdb.Open(load.File(dir), duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(context.Background(), `SELECT concat_ws('|', schema_name, table_name, column_name, data_type, is_nullable, comment) FROM duckdb_columns() WHERE NOT internal`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil || len(lines) < 80 {
		t.Fatalf("%d columns, %v", len(lines), err)
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}
