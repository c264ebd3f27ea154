package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// warehouse makes a closed private file of so many alerts, and returns the
// published file's place.
func warehouse(t *testing.T, alerts int) (dir, target string) {
	t.Helper()
	dir = t.TempDir()
	add(t, dir, 0, alerts)
	return dir, filepath.Join(dir, snapshot.Name)
}

// add commits the alerts from one number to the next.
func add(t *testing.T, dir string, from, to int) {
	t.Helper()
	w := open(t, dir)
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	table := schema.Alerts()
	builder := array.NewRecordBuilder(memory.DefaultAllocator, table.BatchSchema())
	defer builder.Release()
	for i := from; i < to; i++ {
		for j, c := range table.Batch() {
			switch field := builder.Field(j); c.Name {
			case "id":
				field.(*array.StringBuilder).Append(fmt.Sprint(i))
			case "timestamp":
				field.(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
			default:
				field.AppendNull()
			}
		}
	}
	rows := load.Rows{Table: table, Record: builder.NewRecordBatch(), Oldest: at, Newest: at}
	defer rows.Record.Release()
	if _, err := w.Commit(ctx, load.Commit{RunID: "run", Stream: "alerts", Rows: []load.Rows{rows}}); err != nil {
		t.Fatal(err)
	}
	_, err := w.NextGeneration(ctx)
	if err := errors.Join(err, w.CloseFile(ctx), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *load.Warehouse {
	t.Helper()
	w, err := load.Open(ctx, load.Options{Dir: dir, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func publish(t *testing.T, dir string) {
	t.Helper()
	if err := snapshot.Publish(ctx, load.File(dir), filepath.Join(dir, snapshot.Name)); err != nil {
		t.Fatal(err)
	}
}

// query reads one value as an analyst does.
func query(t *testing.T, target, sql string) string {
	t.Helper()
	db, err := duckdb.Open(target, duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var value any
	if err := db.QueryRow(sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(value)
}

// names lists the folder's files.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestThePublishedFileIsWhatAnalystsNeed(t *testing.T) {
	dir, target := warehouse(t, 3)
	publish(t, dir)
	for sql, want := range map[string]string{
		"SELECT count(*) FROM alerts":                                                                  "3",
		"SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'internal'":                         "0",
		"SELECT count(*) FROM duckdb_tables()":                                                         fmt.Sprint(len(schema.Tables())),
		"SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND coalesce(comment, '') = ''":      "0",
		"SELECT string_agg(view_name) FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'": "publication",
		"SELECT count(*) FROM duckdb_views() WHERE schema_name = 'bi'":                                 fmt.Sprint(len(schema.Views())),
		"SELECT bool_and(comment <> '') FROM duckdb_views() WHERE NOT internal":                        "true",
		"SELECT generation FROM publication":                                                           "1",
		"SELECT tags['storage_version'] FROM duckdb_databases() WHERE path IS NOT NULL":                "v1.0.0+",
	} {
		if got := query(t, target, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	for _, table := range schema.Tables() {
		if got := query(t, target, "SELECT comment FROM duckdb_tables() WHERE table_name = "+schema.Literal(table.Name)); got != table.Doc {
			t.Errorf("%s: comment %q", table.Name, got)
		}
		for _, c := range table.Columns {
			sql := fmt.Sprintf("SELECT comment FROM duckdb_columns() WHERE table_name = %s AND column_name = %s", schema.Literal(table.Name), schema.Literal(c.Name))
			if got := query(t, target, sql); got != c.Doc {
				t.Errorf("%s.%s: comment %q", table.Name, c.Name, got)
			}
		}
	}
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o440 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := names(t, dir); got != "flashback.duckdb state" {
		t.Errorf("files %s", got)
	}
}

func TestPublishedFileIsReadableWhileThePrivateOneIsOpen(t *testing.T) {
	dir, target := warehouse(t, 3)
	publish(t, dir)
	open(t, dir)
	if got := query(t, target, "SELECT count(*) FROM alerts"); got != "3" {
		t.Errorf("%s rows", got)
	}
}

func TestAReaderOfTheOldFileKeepsReadingIt(t *testing.T) {
	dir, target := warehouse(t, 3)
	publish(t, dir)
	content, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	reader, err := duckdb.Open(target, duckdb.Session{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var before, after int
	if err := reader.QueryRow("SELECT count(*) FROM alerts").Scan(&before); err != nil {
		t.Fatal(err)
	}
	add(t, dir, 3, 5000)
	publish(t, dir)
	if err := reader.QueryRow("SELECT count(*) FROM alerts WHERE id IS NOT NULL").Scan(&after); err != nil || before != 3 || after != 3 {
		t.Errorf("the old reader counts %d, then %d, %v", before, after, err)
	}
	if got, err := io.ReadAll(old); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the old file changed: %v", err)
	}
	_ = reader.Close()
	if got := query(t, target, "SELECT count(*) FROM alerts"); got != "5000" {
		t.Errorf("a new reader counts %s", got)
	}
}

func TestTheLogOfTheOldFileIsRemoved(t *testing.T) {
	dir, target := warehouse(t, 3)
	publish(t, dir)
	if err := os.WriteFile(target+".wal", []byte("of the old file"), 0o600); err != nil {
		t.Fatal(err)
	}
	publish(t, dir)
	if got := names(t, dir); got != "flashback.duckdb state" {
		t.Errorf("files %s", got)
	}
	if got := query(t, target, "SELECT count(*) FROM alerts"); got != "3" {
		t.Errorf("%s rows", got)
	}
}

func TestAFailureLeavesTheOldFileAndNothingElse(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	// Bits that rot between the check at the start of a run and the copy at its end.
	flip := func(content []byte) []byte {
		const block, headers = 256 << 10, 3 << 12
		for at := headers + 5000; at < len(content); at += block {
			content[at] ^= 1
		}
		return content
	}
	for name, c := range map[string]struct {
		ctx     context.Context
		private func(content []byte) []byte
		damaged bool
		want    error
	}{
		"a damaged block": {ctx, flip, true, nil},
		"not a database":  {ctx, func([]byte) []byte { return bytes.Repeat([]byte("no"), 1<<20) }, false, nil},
		"cut":             {ctx, func(content []byte) []byte { return content[:10] }, false, nil},
		"cancelled":       {cancelled, func(content []byte) []byte { return content }, false, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			dir, target := warehouse(t, 5000)
			publish(t, dir)
			before, err := os.Stat(target)
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(load.File(dir))
			if err == nil {
				err = os.WriteFile(load.File(dir), c.private(content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			err = snapshot.Publish(c.ctx, load.File(dir), target)
			if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
				t.Errorf("got %v", err)
			}
			var damaged *duckdb.DamagedError
			if c.damaged && (!errors.As(err, &damaged) || damaged.Path != load.File(dir) || strings.Contains(err.Error(), "tmp-")) {
				t.Errorf("got %v", err)
			}
			if after, err := os.Stat(target); err != nil || !os.SameFile(before, after) {
				t.Errorf("the old file is gone: %v", err)
			}
			if got := names(t, dir); got != "flashback.duckdb state" {
				t.Errorf("files %s", got)
			}
		})
	}
}

func TestAPrivateFileThatIsNotClosedIsNotPublished(t *testing.T) {
	dir, target := warehouse(t, 3)
	if err := os.WriteFile(load.File(dir)+".wal", []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Publish(ctx, load.File(dir), target); err == nil || !strings.Contains(err.Error(), "write-ahead log") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(load.File(dir) + ".wal"); err != nil || names(t, dir) != "state" {
		t.Errorf("files %s, %v", names(t, dir), err)
	}
}

func TestAMissingPrivateFile(t *testing.T) {
	dir := t.TempDir()
	if err := snapshot.Publish(ctx, load.File(dir), filepath.Join(dir, snapshot.Name)); !errors.Is(err, os.ErrNotExist) || names(t, dir) != "" {
		t.Errorf("files %s, %v", names(t, dir), err)
	}
}

func TestLinksAreNotCopied(t *testing.T) {
	for _, name := range []string{"warehouse.duckdb", "warehouse.duckdb.wal"} {
		dir, target := warehouse(t, 1)
		outside, link := filepath.Join(t.TempDir(), "file"), filepath.Join(dir, "state", name)
		if _, err := os.Lstat(link); err == nil {
			if err := os.Rename(link, outside); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
		if err := snapshot.Publish(ctx, load.File(dir), target); err == nil {
			t.Errorf("%s was followed", name)
		}
		if _, err := os.Lstat(target); err == nil {
			t.Errorf("%s: something was published", name)
		}
	}
}
