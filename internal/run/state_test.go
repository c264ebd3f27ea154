package run_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// states are data_dirs that several tests begin with, by name: the first test makes one,
// the others copy it.
var states struct {
	dir    string // where they are kept; TestMain removes it
	byName sync.Map
}

type state struct {
	once   sync.Once
	dir    string
	looked int64 // at our own clock, until it was made
}

// synced is a world in which the first run of the streams is over: run-001.
func synced(t *testing.T, o apisim.Options, streams ...string) *world {
	t.Helper()
	w := newWorld(t, o)
	w.prepared(fmt.Sprintf("%+v of %+v", streams, o), func() { w.mustSync(w.options(streams...)) })
	return w
}

// prepared brings data_dir into a state that prepare makes with one run. Worlds of one name
// are the same up to here.
func (w *world) prepared(name string, prepare func()) {
	w.t.Helper()
	value, _ := states.byName.LoadOrStore(name, &state{})
	s := value.(*state)
	s.once.Do(func() {
		prepare()
		dir, err := os.MkdirTemp(states.dir, "")
		if err != nil {
			w.t.Fatal(err)
		}
		copyDataDir(w.t, w.dir, dir)
		s.looked, s.dir = w.looked.Load(), dir
	})
	copyDataDir(w.t, s.dir, w.dir)
	w.looked.Store(s.looked)
	w.runs, w.warnings = 1, nil
	w.sim.ResetRequests()
}

// copyDataDir makes a folder a copy of a data_dir, in which the files are noted as those
// that were published if they are.
func copyDataDir(t tester, from, to string) {
	t.Helper()
	copyTree(t, from, to)
	note := published.Read(from)
	for path := range note.Files {
		if note.Same(from, path) {
			note.Files[path], _ = durable.Identify(filepath.Join(to, filepath.FromSlash(path)))
		}
	}
	if err := note.Write(to); err != nil {
		t.Fatal(err)
	}
}

// copyTree makes a folder a copy of another one.
func copyTree(t tester, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		place := filepath.Join(to, name)
		if entry.IsDir() {
			return os.Mkdir(place, info.Mode().Perm())
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(place, content, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
