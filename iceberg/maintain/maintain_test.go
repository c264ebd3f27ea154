package maintain_test

import (
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/audit"
	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/maintain"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

var names = []string{"alerts", "violations", "coverage"}

func day(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type bench struct {
	*testing.T
	lake      *lakegen.Lake
	catalog   *catalogs.Catalog
	warehouse string
}

func setUp(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	l, err := lakegen.New(t.TempDir(), 1)
	must(t, err)
	cat, err := catalogs.Open(t.Context(), catalogs.Config{
		URI: "sqlite://" + filepath.Join(dir, "catalog.db"), Name: "flashback", Namespace: "flashback", Warehouse: "file://" + filepath.Join(dir, "w"),
	})
	must(t, err)
	t.Cleanup(func() { _ = cat.Close() })
	return &bench{t, l, cat, filepath.Join(dir, "w")}
}

// push changes a day of alerts and pushes it.
func (b *bench) push(n, rows int, version uint64) {
	b.Helper()
	must(b.T, b.lake.Set("alerts", day(n), rows, version))
	must(b.T, b.lake.Publish(day(n+1)))
	b.run(false)
}

func (b *bench) run(seal bool) *push.Result {
	b.Helper()
	opened, err := lake.Open(b.lake.Dir)
	must(b.T, err)
	defer opened.Close()
	result, err := push.Run(b.Context(), push.Options{
		Lake: opened, Catalog: b.catalog, Org: "default", Run: "00000000abcd", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Seal: seal,
	})
	must(b.T, err)
	return result
}

func (b *bench) load() *table.Table {
	b.Helper()
	tbl, err := b.catalog.Load(b.Context(), "alerts")
	must(b.T, err)
	return tbl
}

// verify wants the tables to be what the lake has.
func (b *bench) verify() {
	b.Helper()
	opened, err := lake.Open(b.lake.Dir)
	must(b.T, err)
	defer opened.Close()
	report, err := audit.Verify(b.Context(), audit.Options{Lake: opened, Catalog: b.catalog, Org: "default"})
	must(b.T, err)
	for _, d := range report.Differences {
		b.Errorf("difference: %v", d)
	}
}

func TestMaintainMergesAndExpires(t *testing.T) {
	b := setUp(t)
	for n := range 8 {
		b.push(n, 20, 0)
		b.push(n, 30, 1)
	}
	results, err := maintain.Run(t.Context(), maintain.Options{Catalog: b.catalog, Retain: 1, Orphans: 72 * time.Hour})
	must(t, err)
	if r := results[0]; r.Manifests == 0 || r.Snapshots < 15 {
		t.Errorf("%+v", r)
	}
	b.verify()
	if n := len(b.load().Metadata().Snapshots()); n != 1 {
		t.Errorf("%d snapshots are left", n)
	}
	// The cursor has survived: nothing is to do, and one more day is one commit.
	if r := b.run(false).Tables["alerts"]; r.Commits != 0 {
		t.Errorf("after maintenance: %+v", r)
	}
	b.push(8, 10, 0)
	b.verify()
}

func TestCommitsMergeSmallManifests(t *testing.T) {
	b := setUp(t)
	for n := range 30 {
		b.push(n, 5, 0)
	}
	files, err := b.load().FS(t.Context())
	must(t, err)
	manifests, err := b.load().CurrentSnapshot().Manifests(files)
	must(t, err)
	if len(manifests) > 12 {
		t.Errorf("30 pushes left %d manifests", len(manifests))
	}
	b.verify()
}

func TestForgetLeavesNothingOld(t *testing.T) {
	b := setUp(t)
	b.push(0, 100, 0)
	b.push(1, 100, 0)
	erased := b.parquet()
	// What a killed push leaves behind is of an older generation.
	must(t, b.lake.Set("alerts", day(0), 90, 1)) // the rows of a person are gone
	must(t, b.lake.Set("alerts", day(1), 95, 1))
	must(t, b.lake.Publish(day(2)))
	pushed := b.run(true)
	results, err := maintain.Forget(t.Context(), b.catalog, "default", pushed.Generation, names)
	must(t, err)
	if r := results[0]; r.Listed != 2 || len(r.Left) != 0 || r.Metadata == 0 {
		t.Errorf("%+v", r)
	}
	for file := range b.parquet() {
		if erased[file] && strings.Contains(file, "/alerts/") {
			t.Errorf("%s still exists", file)
		}
	}
	if n := len(b.load().Metadata().Snapshots()); n != 1 {
		t.Errorf("%d snapshots are left", n)
	}
	b.verify()
}

func (b *bench) parquet() map[string]bool {
	b.Helper()
	found := map[string]bool{}
	must(b.T, filepath.WalkDir(b.warehouse, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".parquet") {
			found[path] = true
		}
		return err
	}))
	return found
}

func TestForgetRemovesWhatAKilledPushLeft(t *testing.T) {
	b := setUp(t)
	b.push(0, 100, 0)
	var leftover string
	for file := range b.parquet() {
		if strings.Contains(file, "/alerts/") {
			leftover = strings.Replace(file, "abcd-00000", "dead-00000", 1)
			must(t, copyFile(file, leftover))
		}
	}
	must(t, b.lake.Publish(day(1)))
	pushed := b.run(true) // nothing has changed, but the generation is sealed
	results, err := maintain.Forget(t.Context(), b.catalog, "default", pushed.Generation, names)
	must(t, err)
	if results[0].Data != 1 || b.parquet()[leftover] {
		t.Errorf("%s is still there: %+v", leftover, results[0])
	}
	b.verify()
}
