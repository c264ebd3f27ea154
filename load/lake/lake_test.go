package lake_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
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
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	now   = time.Date(2024, 6, 1, 2, 0, 0, 0, time.UTC)
)

// site is a warehouse and the lake made from it.
type site struct {
	testing.TB
	*load.Warehouse
	dir string
}

func newSite(t testing.TB) *site {
	dir := t.TempDir()
	return &site{TB: t, Warehouse: open(t, dir), dir: filepath.Join(dir, "lake")}
}

// elsewhere is the same warehouse with another lake.
func (s *site) elsewhere(t testing.TB) *site {
	t.Helper()
	if err := os.MkdirAll(s.dir, 0o750); err != nil { // DuckDB writes below it only
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(s.dir, "elsewhere-*")
	if err != nil {
		t.Fatal(err)
	}
	return &site{TB: t, Warehouse: s.Warehouse, dir: filepath.Join(dir, "lake")}
}

func open(t testing.TB, dir string) *load.Warehouse {
	t.Helper()
	w, err := load.Open(context.Background(), load.Options{Dir: dir, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func options(dir string) lake.Options {
	return lake.Options{Dir: dir, Compression: "zstd", Generator: "flashback-sync test", Now: now}
}

// publish does what a run does: publish, then note what was published.
func (s *site) publish() lake.Result {
	s.Helper()
	result, err := lake.Publish(context.Background(), options(s.dir), s)
	if err != nil {
		s.Fatal(err)
	}
	for table, partitions := range result.Written {
		if err := s.MarkPublished(context.Background(), table, partitions); err != nil {
			s.Fatal(err)
		}
	}
	return result
}

// alerts commits and deduplicates rows, as one run.
func (s *site) alerts(values ...values) {
	s.Helper()
	rows := build(s, schema.Alerts(), values...)
	commit(s, s.Warehouse, rows)
	if _, err := s.Dedupe(context.Background(), "run", schema.Alerts()); err != nil {
		s.Fatal(err)
	}
}

func commit(t testing.TB, w *load.Warehouse, rows load.Rows) {
	t.Helper()
	_, err := w.Commit(context.Background(), load.Commit{RunID: "run", Stream: rows.Table.Name, Rows: []load.Rows{rows}})
	if err != nil {
		t.Fatal(err)
	}
}

// values are those of a row's columns; a column left out is NULL.
type values map[string]any

func alert(id string, at time.Time) values { return values{"id": id, "timestamp": at} }

// build makes a batch of rows.
func build(t testing.TB, table *schema.Table, rows ...values) load.Rows {
	t.Helper()
	builder := array.NewRecordBuilder(memory.DefaultAllocator, table.BatchSchema())
	defer builder.Release()
	built := load.Rows{Table: table}
	for i, row := range rows {
		for j, c := range table.Batch() {
			set(builder.Field(j), row[c.Name])
		}
		at := row[table.Time].(time.Time)
		if i == 0 || at.Before(built.Oldest) {
			built.Oldest = at
		}
		if i == 0 || at.After(built.Newest) {
			built.Newest = at
		}
	}
	built.Record = builder.NewRecordBatch()
	t.Cleanup(built.Record.Release)
	return built
}

func set(field array.Builder, value any) {
	switch v := value.(type) {
	case nil:
		field.AppendNull()
	case string:
		field.(*array.StringBuilder).Append(v)
	case time.Time:
		field.(*array.TimestampBuilder).Append(arrow.Timestamp(v.UnixMicro()))
	case bool:
		field.(*array.BooleanBuilder).Append(v)
	case int:
		field.(*array.Int64Builder).Append(int64(v))
	default:
		panic(fmt.Sprintf("a value of type %T", v))
	}
}

// files lists the lake's files below dir, with slashes, and what tells a file
// that was written again from one that was not.
func (s *site) files() map[string]os.FileInfo {
	s.Helper()
	found := map[string]os.FileInfo{}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		below, _ := filepath.Rel(s.dir, path)
		found[filepath.ToSlash(below)] = info
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// parquet lists the paths of the Parquet files, and fails if there is any other
// file but the manifest and README.md.
func (s *site) parquet() string {
	s.Helper()
	var paths []string
	for _, entry := range s.manifest().Files {
		paths = append(paths, entry.Path)
	}
	if files := s.files(); len(files) != len(paths)+2 {
		s.Errorf("%d files for %v: %v", len(files), paths, files)
	}
	return strings.Join(paths, " ")
}

func (s *site) manifest() *lake.Manifest {
	s.Helper()
	manifest, err := lake.ReadManifest(s.dir)
	if err != nil {
		s.Fatal(err)
	}
	return manifest
}

// checkManifest holds every entry against its file and against the warehouse.
func (s *site) checkManifest() {
	s.Helper()
	for _, entry := range s.manifest().Files {
		content, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(entry.Path)))
		if err != nil {
			s.Error(err)
			continue
		}
		sum := sha256.Sum256(content)
		if entry.SHA256 != hex.EncodeToString(sum[:]) || entry.Bytes != int64(len(content)) {
			s.Errorf("%s: %d bytes, sum %x, the manifest says %d, %s", entry.Path, len(content), sum, entry.Bytes, entry.SHA256)
		}
		table := schema.ByName(entry.Table)
		rows := s.rows(table, entry.Oldest, entry.Newest.Add(time.Microsecond))
		times := rows[table.Time]
		if int64(len(times)) != entry.Rows || times[0] != entry.Oldest || times[len(times)-1] != entry.Newest {
			s.Errorf("%s: the manifest says %d rows from %v to %v", entry.Path, entry.Rows, entry.Oldest, entry.Newest)
		}
	}
}

// rows reads the warehouse, column by column, in the order of its files.
func (s *site) rows(table *schema.Table, from, to time.Time) map[string][]any {
	s.Helper()
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s >= ? AND %[3]s < ? ORDER BY %s", duckdb.Values(table), schema.Ident(table.Name), schema.Ident(table.Time), duckdb.Order(table))
	rows, err := s.Conn().QueryContext(context.Background(), query, from, to)
	if err != nil {
		s.Fatal(err)
	}
	return columns(table, scanned(s, rows))
}
