package run_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// broad is a history of many pages; with a clock in a hurry a commit takes a few.
func broad() apisim.Options {
	o := small()
	o.AlertsPerDay = 600
	return o
}

const hurry = 4 * time.Second

// stored wants no error, or one that the disk is the reason of, in one line.
func (w *world) stored(err error) *duckdb.StorageError {
	w.t.Helper()
	var storage *duckdb.StorageError
	var damaged *duckdb.DamagedError
	if err != nil && (!errors.As(err, &storage) || errors.As(err, &damaged) || strings.Contains(storage.Error(), "\n")) {
		w.t.Errorf("%T: %v", err, err)
	}
	return storage
}

// The disk fills up while pages are read, and at last before they are published.
func TestAFullDiskEndsTheRunAndTheNextGoesOn(t *testing.T) {
	t.Parallel()
	o := broad()
	o.AlertsPerDay = 2400 // more than the runs before the last get to store
	w := alone(t, o, func(string) []string { return []string{"unshare", "-rm"} })
	if w == nil {
		return
	}
	w.mount("64m")
	w.step = hurry
	full := filepath.Join(w.dir, "full")
	for nth := 3; nth <= 24; nth += 10 {
		before := w.sim.RequestCount()
		w.sim.SetOnRequest(func(_ *http.Request, n int) {
			if n-before == nth {
				w.fill(full)
			}
		})
		w.failsForRoom(w.options(), full)
		w.sim.SetOnRequest(nil)
	}
	options := w.options()
	options.Observe = func(e run.Event) {
		if e.Kind == run.Finished && e.Stream == violations {
			w.fill(full)
		}
	}
	w.failsForRoom(options, full)
	w.mustSync(w.options())
	w.equalsTruth()
}

func (w *world) failsForRoom(o run.Options, full string) {
	w.t.Helper()
	_, err := w.sync(context.Background(), o)
	if storage := w.stored(err); storage == nil || !strings.Contains(strings.ToLower(storage.Error()), "no space left") {
		w.t.Errorf("ended with %v", err)
	}
	if err := os.Remove(full); err != nil {
		w.t.Fatal(err)
	}
	w.coversOnlyWhatIsStored(apisim.Alerts)
}

// Faults 41 and 42: what cannot end well does not begin.
func TestFullDiskEndsTheRunBeforeAnyRequest(t *testing.T) {
	t.Parallel()
	w := alone(t, small(), func(string) []string { return []string{"unshare", "-rm"} })
	if w == nil {
		return
	}
	w.mount("8m")
	_, err := w.sync(context.Background(), w.options())
	if storage := w.stored(err); storage == nil || !strings.Contains(err.Error(), "8.0 MiB are free, a run needs 16 MiB") {
		t.Errorf("%v", err)
	}
	w.mount("40m")
	w.mustSync(w.options())
	w.sim.ResetRequests()
	if err := syscall.Mount("", w.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err = w.sync(context.Background(), w.options())
	if storage := w.stored(err); storage == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
	if asked := len(w.sim.Requests()); asked != 0 {
		t.Errorf("the source was asked %d times", asked)
	}
}

// mount puts a file system in memory in the place of data_dir.
func (w *world) mount(size string) {
	w.t.Helper()
	if err := syscall.Mount("none", w.dir, "tmpfs", 0, "size="+size); err != nil {
		w.t.Fatal(err)
	}
}

// fill leaves no room.
func (w *world) fill(path string) {
	file, err := os.Create(path)
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		w.t.Error(err)
	}
	_ = file.Close()
}

// Some file systems (SMB, FUSE) do not know how to sync a folder.
func TestFileSystemThatCannotFsyncFoldersIsWarnedOfOnce(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"EINVAL", "ENOTSUP"} {
		t.Run(refused, func(t *testing.T) {
			w := alone(t, small(), func(dir string) []string {
				wrapper := injecting(dir, "fsync:error="+refused)
				for _, folder := range []string{"state", "lake", "lake/alerts", "lake/violations"} {
					wrapper = append(wrapper, "-P", filepath.Join(dir, folder))
				}
				return wrapper
			})
			if w == nil {
				return
			}
			w.mustSync(w.options())
			if n := strings.Count(strings.Join(w.warnings, "\n"), "does not sync folders"); n != 1 {
				t.Errorf("%d warnings: %v", n, w.warnings)
			}
			w.equalsTruth()
		})
	}
}
