package load

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// OpenReadOnly opens a warehouse that exists, and writes nothing at all: an older layout
// stays as it is, and so does what a crash left behind. It returns what Open does.
func OpenReadOnly(ctx context.Context, options Options) (*Warehouse, error) {
	w := newWarehouse(options)
	if err := checkPlaces(options.Dir); err != nil {
		return nil, err
	}
	if err := w.takeExistingLock(); err != nil {
		return nil, err
	}
	_, err := Inspect(ctx, w.path)
	if err == nil {
		session := duckdb.Session{ReadOnly: true, MemoryLimit: w.memory.Limit(), Thrifty: true}
		if err = w.connectWith(ctx, w.path, session); err != nil {
			err = duckdb.OpenError(w.path, err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, w.lock.Unlock())
	}
	return w, nil
}

// takeExistingLock takes the lock without making its file: where there is none, nobody
// runs.
func (w *Warehouse) takeExistingLock() error {
	w.lock = flock.New(filepath.Join(filepath.Dir(w.path), "lock"), flock.SetFlag(os.O_RDONLY))
	locked, err := w.lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return duckdb.Wrap("lock data_dir", err)
	case !locked:
		return fmt.Errorf("%w in %s", ErrLocked, w.options.Dir)
	}
	return nil
}
