package run_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// everythingIn describes all files and folders below a folder, with their times.
func everythingIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		var content []byte
		if info.Mode().IsRegular() {
			if content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		all[path] = fmt.Sprintf("%s %s %x", info.Mode(), info.ModTime().Format(time.RFC3339Nano), sha256.Sum256(content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// leaveLog leaves a log beside the warehouse, as a crash does.
func leaveLog(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("INSERT INTO internal.unsettled VALUES ('alerts', 'killed')"); err != nil {
		t.Fatal(err)
	}
	saved := map[string][]byte{}
	for _, name := range []string{path, path + ".wal"} {
		if saved[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range saved {
		if err := os.WriteFile(name, content, 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADryRunWritesNothingAtAll(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, w *world){
		"nothing there":    func(*testing.T, *world) {},
		"an older layout":  func(t *testing.T, w *world) { unpack(t, filepath.Join(releases, "layout-1.tar.zst"), w.dir) },
		"no lock file":     func(t *testing.T, w *world) { w.upgraded(); remove(t, w.dir, "state/lock") },
		"no published one": func(t *testing.T, w *world) { w.upgraded(); remove(t, w.dir, snapshot.Name) },
		"after a crash": func(t *testing.T, w *world) {
			w.upgraded()
			leaveLog(t, load.File(w.dir))
			for _, name := range []string{
				load.Unpublished, ".flashback.duckdb.tmp-1", snapshot.LogName, "lake/.manifest.json.tmp-2", "state/warehouse.duckdb.new",
			} {
				if err := os.WriteFile(filepath.Join(w.dir, name), []byte("left"), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.MkdirAll(filepath.Join(w.dir, "state", "tmp"), 0o750); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := upgradeWorld(t)
			prepare(t, w)
			before := everythingIn(t, w.dir)
			o := w.upgradeOptions()
			o.DryRun = true
			planned := 0
			o.Observe = func(e run.Event) {
				if e.Kind == run.Planned {
					planned++
				}
			}
			summary, err := w.sync(context.Background(), o)
			if err != nil || planned != 3 {
				t.Errorf("%d streams planned, %v, %+v", planned, err, summary)
			}
			if diff := cmp.Diff(before, everythingIn(t, w.dir)); diff != "" {
				t.Errorf("written:\n%s", diff)
			}
		})
	}
}

func TestADryRunBesideARunEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	other, err := load.Open(context.Background(), load.Options{Dir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	o := w.options()
	o.DryRun = true
	if _, err := w.sync(context.Background(), o); !errors.Is(err, load.ErrLocked) {
		t.Errorf("%v", err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
