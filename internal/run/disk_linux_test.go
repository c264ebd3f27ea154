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
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// broad is a history of many pages; with a clock in a hurry a commit takes a few.
func broad() apisim.Options {
	o := small()
	o.AlertsPerDay = 600
	return o
}

const hurry = 4 * time.Second

func (w *world) triedAgain() bool {
	return strings.Contains(strings.Join(w.warnings, "\n"), "tried once more")
}

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

// Faults 41, 43 and 44, one call at a time: the run goes on, or ends in one line
// that says why; what it committed is kept, and the next run converges.
func TestAFaultOfTheDisk(t *testing.T) {
	const again, either = "again", "either"
	for name, c := range map[string]struct{ suffix, fault, want string }{
		"begin":                 {".wal", "write:error=EIO:when=1", either},
		"commit":                {".wal", "write:error=EIO:when=3", again}, // the first after begin
		"log_write":             {".wal", "write:error=EIO:when=9", either},
		"log_write_late":        {".wal", "write:error=EIO:when=25", either},
		"log_write_full":        {".wal", "write:error=ENOSPC:when=9", "No space left"},
		"log_write_quota":       {".wal", "write:error=EDQUOT:when=9", "quota"},
		"log_fsync":             {".wal", "fsync:error=EIO:when=4", "fsync"},
		"log_fsync_full":        {".wal", "fsync:error=ENOSPC:when=4", "No space left"},
		"checkpoint_write":      {"", "pwrite64:error=EIO:when=1", either},
		"checkpoint_write_full": {"", "pwrite64:error=ENOSPC:when=1", either},
		"checkpoint_fsync":      {"", "fsync:error=EIO:when=1", either},
		"header_fsync":          {"", "fsync:error=EIO:when=2", either},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each is a process of its own
			w := alone(t, broad(), func(dir string) []string {
				return injecting(load.File(dir)+c.suffix, c.fault)
			})
			if w == nil {
				return
			}
			w.step = hurry
			o := w.options()
			summary, err := w.sync(context.Background(), o)
			storage := w.stored(err)
			t.Logf("%v, %v", err, w.warnings)
			switch {
			case err == nil && summary.Status != "ok", c.want == again && !w.triedAgain():
				t.Errorf("%s, %v, %v", summary.Status, err, w.warnings)
			case c.want == either && err == nil && !w.triedAgain():
				t.Error("nothing happened")
			case c.want != again && c.want != either && (storage == nil || !storage.Permanent || w.triedAgain() || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, %v", err, w.warnings)
			}
			w.vouched(apisim.Alerts)
			w.vouched(apisim.Violations)
			w.mustSync(o)
			w.equalsTruth()
		})
	}
}

// The disk fills up while pages are read, and at last before they are published.
func TestAFullDiskEndsTheRunAndTheNextGoesOn(t *testing.T) {
	o := broad()
	o.AlertsPerDay = 2400 // more than the runs before the last get to store
	w := alone(t, o, func(string) []string { return []string{"unshare", "-rm"} })
	if w == nil {
		return
	}
	w.mount("64m")
	w.step = hurry
	full := filepath.Join(w.dir, "full")
	for nth := 3; nth <= 24; nth += 7 {
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
	w.vouched(apisim.Alerts)
}

// Faults 41 and 42: what cannot end well does not begin.
func TestFullDiskEndsTheRunBeforeAnyRequest(t *testing.T) {
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
