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
	"github.com/flashback-sync/flashback-sync/load/layout"
)

// OpenReadOnly opens a warehouse that exists, and writes nothing: an older layout is not
// migrated, and what a crash left behind is not swept. It returns the errors of Open.
func OpenReadOnly(ctx context.Context, options Options) (*Warehouse, error) {
	w := newWarehouse(options)
	if err := checkLinks(options.Dir); err != nil {
		return nil, err
	}
	if err := w.takeExistingLock(); err != nil {
		return nil, err
	}
	_, err := layout.Inspect(ctx, w.path)
	if err == nil {
		session := duckdb.Session{ReadOnly: true, MemoryLimit: w.memory.Limit(), Background: true}
		if err = w.connectWith(ctx, w.path, session); err != nil {
			err = duckdb.OpenError(w.path, err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, w.lock.Unlock())
	}
	return w, nil
}

// takeExistingLock takes the lock without making its file: without the file no other
// instance runs.
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
