package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

const (
	lockFile = "state/serve.lock"
	// lockPatience is too short to wait for another serve to end.
	lockPatience = time.Second
)

// Place is the data_dir that serve started with, identified by the lock file in it.
type Place struct {
	dataDir, path string
	file          fs.FileInfo
	// Unlock lets another serve have the folder.
	Unlock func()
}

// Lock keeps a second scheduler out of the same folder; its error is load.ErrLocked.
// Runs have a lock of their own.
func Lock(dataDir string) (*Place, error) {
	failed := func(err error) error { return &duckdb.StorageError{Doing: "lock data_dir", Err: err} }
	if err := os.MkdirAll(filepath.Join(dataDir, "state"), 0o750); err != nil {
		return nil, &duckdb.StorageError{Doing: "make data_dir", Err: err}
	}
	unlock, err := journal.Lock(context.Background(), dataDir, lockFile, lockPatience)
	if errors.Is(err, journal.ErrBusy) {
		return nil, fmt.Errorf("%w: a serve for %s", load.ErrLocked, dataDir)
	}
	if err != nil {
		return nil, failed(err)
	}
	path := filepath.Join(dataDir, filepath.FromSlash(lockFile))
	file, err := os.Stat(path)
	if err != nil {
		unlock()
		return nil, failed(err)
	}
	return &Place{dataDir: dataDir, path: path, file: file, Unlock: unlock}, nil
}

// check returns an error if data_dir is no longer the folder that serve started with.
// A volume that was unmounted leaves an empty folder, where a run would start from nothing.
func (p *Place) check() error {
	if now, err := os.Stat(p.path); err != nil || !os.SameFile(p.file, now) {
		return fmt.Errorf("data_dir %s is not the folder that serve started with: its volume may be unmounted, or it was replaced", p.dataDir)
	}
	return nil
}
