package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// Place is the data_dir that serve started with, identified by the lock file in it.
type Place struct {
	dataDir, path string
	file          fs.FileInfo
	lock          *flock.Flock
}

// Lock keeps a second scheduler out of the same folder; its error is load.ErrLocked.
// Runs have a lock of their own.
func Lock(dataDir string) (*Place, error) {
	failed := func(err error) error { return &duckdb.StorageError{Doing: "lock data_dir", Err: err} }
	state := filepath.Join(dataDir, "state")
	if err := os.MkdirAll(state, 0o750); err != nil {
		return nil, &duckdb.StorageError{Doing: "make data_dir", Err: err}
	}
	path, err := durable.Place(dataDir, "state/serve.lock")
	if err != nil {
		return nil, failed(err)
	}
	lock := flock.New(path, flock.SetPermissions(0o640))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, failed(err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: a serve for %s", load.ErrLocked, dataDir)
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, errors.Join(failed(err), lock.Unlock())
	}
	return &Place{dataDir: dataDir, path: path, file: file, lock: lock}, nil
}

// Unlock lets another serve have the folder.
func (p *Place) Unlock() { _ = p.lock.Unlock() } // the process ends

// check returns an error if data_dir is no longer the folder that serve started with.
// A volume that was unmounted leaves an empty folder, where a run would start from nothing.
func (p *Place) check() error {
	if now, err := os.Stat(p.path); err != nil || !os.SameFile(p.file, now) {
		return fmt.Errorf("data_dir %s is not the folder that serve started with: its volume may be unmounted, or it was replaced", p.dataDir)
	}
	return nil
}
