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
				INSERT INTO internal.meta VALUES ('application', 'flashback-sync'), ('schema_version', '%d'); %s`, version, ddl))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if !takeOver(t, old) || takeOver(t, fresh) {
				t.Error("the migration is not told")
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
	return w.Migrated()
}

func layout(t *testing.T, dir string) string {
	t.Helper()
	db, err := load.OpenDuckDB(load.File(dir), load.Session{ReadOnly: true})
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
