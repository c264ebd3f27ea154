package run_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// added is the column of alerts that the release before did not know. No record of
// these tests has it.
const added = "host"

// oldLayout is a data_dir as the release before would have left it: its files lack a
// column that the present release declares. The second half of the lake has it, as if
// the upgrade had been killed while it published.
func oldLayout(t *testing.T) (*world, run.Options) {
	t.Helper()
	w := newWorld(t, apisim.Options{Now: sourceNow, Days: 10})
	for n := range 60 {
		at := w.sim.Now().Add(-time.Duration(n) * 3 * time.Hour)
		w.sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":"a-%d","timestamp":%q,"message":"text %d"}`, n, at.Format(time.RFC3339), n))
	}
	o := w.options(alerts)
	w.prepared("old layout", func() { w.makeOld(t, o) })
	return w, o
}

func (w *world) makeOld(t *testing.T, o run.Options) {
	t.Helper()
	w.mustSync(o)
	drop := "ALTER TABLE alerts DROP COLUMN " + added
	tamper(t, load.File(w.dir), drop, fmt.Sprintf("UPDATE internal.meta SET value = '%d' WHERE key = 'schema_version'", schema.Version-1))
	file := filepath.Join(w.dir, snapshot.Name)
	makeWritable(t, file)
	tamper(t, file, drop)
	manifest, err := lake.ReadManifest(o.DataDir + "/lake")
	if err != nil {
		t.Fatal(err)
	}
	for i := range manifest.Files[:len(manifest.Files)/2] {
		f := &manifest.Files[i]
		path := filepath.Join(w.dir, "lake", f.Path)
		makeWritable(t, path)
		tamper(t, "", fmt.Sprintf("COPY (SELECT * EXCLUDE %s FROM read_parquet('%s', hive_partitioning = false)) TO '%[2]s' (FORMAT parquet, PARQUET_VERSION v2)", added, path))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(content)
		f.Bytes, f.SHA256 = int64(len(content)), hex.EncodeToString(hash[:])
	}
	content, err := json.Marshal(manifest)
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "lake", lake.ManifestName), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func makeWritable(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// isOfThisLayout wants the declared columns in the published file and in every Parquet
// file, which all have encodings of version 1.
func (w *world) isOfThisLayout() {
	w.t.Helper()
	var want []string
	for _, c := range schema.Alerts().Columns {
		want = append(want, c.Name)
	}
	slices.Sort(want)
	const columns = "SELECT array_to_string(list_sort(list(column_name)), ' ') FROM "
	if got := w.published(columns + "duckdb_columns() WHERE table_name = 'alerts' AND column_name <> 'date'"); got != strings.Join(want, " ") {
		w.t.Errorf("published columns: %s", got)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "lake", schema.Alerts().LakePath()))
	if err != nil || len(files) < 2 {
		w.t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if got := one(w.t, "", columns+"(DESCRIBE FROM read_parquet('"+file+"', hive_partitioning = false))"); got != strings.Join(want, " ") {
			w.t.Errorf("%s: columns %s", file, got)
		}
	}
	w.hasPlainEncodings()
}

// storesAll wants every row of the source, in the published file and in the lake.
func (w *world) storesAll() {
	w.t.Helper()
	const stored = "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || count(host) || ' ' || count(message) FROM "
	if got := w.published(stored + "alerts"); got != "60 60 0 60" {
		w.t.Errorf("published: %s", got)
	}
	if got := one(w.t, "", stored+"read_parquet('"+filepath.Join(w.dir, "lake", schema.Alerts().LakePath())+"')"); got != "60 60 0 60" {
		w.t.Errorf("lake: %s", got)
	}
}

// hasPlainEncodings wants what every reader of Parquet understands.
func (w *world) hasPlainEncodings() {
	w.t.Helper()
	got := one(w.t, "", "SELECT string_agg(DISTINCT encodings, ' ') FROM parquet_metadata('"+filepath.Join(w.dir, "lake", "*", "*", "*.parquet")+"')")
	if strings.Contains(got, "DELTA") || strings.Contains(got, "BYTE_STREAM") || !strings.Contains(got, "PLAIN") {
		w.t.Errorf("encodings: %s", got)
	}
}

// migrate brings the private file to the present layout, and is killed before the run
// publishes anything.
func (w *world) migrate(o run.Options) {
	w.t.Helper()
	opened, err := load.Open(context.Background(), load.Options{Dir: o.DataDir, Version: "test", Writing: true})
	if err == nil {
		err = opened.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestAddedColumnIsPublishedByTheRunThatMigrates(t *testing.T) {
	t.Parallel()
	w, o := oldLayout(t)
	w.matches(o)
	w.mustSync(o)
	w.isOfThisLayout()
	w.storesAll()
	w.matches(o)
	files := w.files()
	w.mustSync(o)
	if !maps.Equal(files, w.files()) {
		t.Error("the next run wrote files again")
	}
}

func TestAddedColumnIsPublishedAfterAKillBetweenMigrationAndPublication(t *testing.T) {
	t.Parallel()
	w, o := oldLayout(t)
	w.migrate(o)
	w.matches(o)
	w.mustSync(o)
	w.isOfThisLayout()
	w.matches(o)
}

func TestRepairOfAnOlderLayoutPublishesTheNewOne(t *testing.T) {
	t.Parallel()
	w, o := oldLayout(t)
	if err := os.Remove(filepath.Join(w.dir, snapshot.Name)); err != nil {
		t.Fatal(err)
	}
	w.repair(o)
	w.isOfThisLayout()
	w.matches(o)
}

// A rebuild reads a lake of two layouts, and what the lake lacks from a published file
// of the older one.
func TestRebuildReadsFilesOfTwoLayouts(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*world, run.Options){
		"before the migration": func(*world, run.Options) {},
		"after the migration":  (*world).migrate,
		"without a Parquet file": func(w *world, _ run.Options) {
			manifest, err := lake.ReadManifest(filepath.Join(w.dir, "lake"))
			if err == nil {
				err = os.Remove(filepath.Join(w.dir, "lake", manifest.Files[0].Path))
			}
			if err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, o := oldLayout(t)
			prepare(w, o)
			if err := os.Remove(load.File(w.dir)); err != nil {
				t.Fatal(err)
			}
			w.rebuild(o)
			w.isOfThisLayout()
			w.storesAll()
		})
	}
}
