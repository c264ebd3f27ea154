package load_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Fault 59: a link where something of ours is opened by its path leads nowhere.
func TestPlantedLinksAreRefused(t *testing.T) {
	file := filled(t)
	for _, place := range []string{
		"state", "state/lock", "state/tmp", "state/warehouse.duckdb", "state/warehouse.duckdb.wal",
		"state/warehouse.duckdb.wal.checkpoint", "state/warehouse.duckdb.wal.recovery", "lake",
	} {
		for _, target := range []string{"a file", "a folder", "a warehouse", "missing"} {
			t.Run(place+" to "+target, func(t *testing.T) {
				outside := t.TempDir()
				overwrite(t, filepath.Join(outside, "a file"), []byte("canary"))
				putWarehouse(t, filepath.Join(outside, "a folder"), file, nil)
				overwrite(t, filepath.Join(outside, "a warehouse"), file)
				before := tree(t, outside)
				dir := placed(t, file, nil)
				link := filepath.Join(dir, place)
				plant(t, filepath.Join(outside, target), link)
				w, err := load.Open(context.Background(), load.Options{Dir: dir, Writing: true, Copied: true})
				if err == nil {
					_ = w.Close()
				}
				var storage *duckdb.StorageError
				if !errors.As(err, &storage) || !strings.Contains(err.Error(), link) || !strings.Contains(err.Error(), "remove it") {
					t.Errorf("%v", err)
				}
				same(t, before, tree(t, outside))
			})
		}
	}
}

// What is made anew takes the place of a link instead of following it.
func TestLinksInTheWayOfNewFilesAreReplaced(t *testing.T) {
	outside := t.TempDir()
	overwrite(t, filepath.Join(outside, "canary"), []byte("canary"))
	before := tree(t, outside)
	dir := t.TempDir()
	for _, place := range []string{"state/warehouse.duckdb.new", "state/warehouse.duckdb.new.wal", "state/warehouse.duckdb.new.rows", "state/tmp/duckdb_temp_storage-0.tmp"} {
		plant(t, filepath.Join(outside, "canary"), filepath.Join(dir, place))
	}
	w := open(t, dir)
	commit(t, w, "run-1", many(t, 0, 10))
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	same(t, before, tree(t, outside))
	if got := query(t, dir, "SELECT count(*) FROM alerts"); got != "10" {
		t.Errorf("%s rows", got)
	}
}

// A link planted while the file is closed is found when it is opened again.
func TestALinkPlantedLaterIsRefused(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	overwrite(t, filepath.Join(outside, "canary"), []byte("canary"))
	before := tree(t, outside)
	w := open(t, dir)
	if err := w.CloseFile(context.Background()); err != nil {
		t.Fatal(err)
	}
	plant(t, filepath.Join(outside, "canary"), load.File(dir)+".wal")
	var storage *duckdb.StorageError
	if err := w.Reopen(context.Background()); !errors.As(err, &storage) {
		t.Errorf("%v", err)
	}
	same(t, before, tree(t, outside))
}

func TestDataDirItselfMayBeALink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), dir); err != nil {
		t.Fatal(err)
	}
	w, err := load.Open(context.Background(), load.Options{Dir: dir, Writing: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
}

// What a killed run spilled to disk is of no use to anyone.
func TestSpilledFilesAreSwept(t *testing.T) {
	dir := t.TempDir()
	spilled := filepath.Join(dir, "state", "tmp", "duckdb_temp_storage-0.tmp")
	if err := os.MkdirAll(filepath.Dir(spilled), 0o750); err != nil {
		t.Fatal(err)
	}
	overwrite(t, spilled, []byte("rows"))
	open(t, dir)
	if _, err := os.Lstat(spilled); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
}

// plant puts a link in the place of what is there.
func plant(t *testing.T, target, link string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o750), os.RemoveAll(link), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
}

// tree reads every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			files[path] = entry.Type().String()
			return err
		}
		files[path] = string(contents(t, path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func same(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path := range after {
		if _, known := before[path]; !known {
			t.Errorf("%s is new", path)
		}
	}
	for path, content := range before {
		if after[path] != content {
			t.Errorf("%s was changed", path)
		}
	}
}
