package load

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
)

// OpenReadOnly opens a warehouse that exists, and writes nothing: an older layout is not
// migrated, and what a crash left behind is not swept. It returns the errors of Open.
func OpenReadOnly(ctx context.Context, options Options) (*Warehouse, error) {
	w := newWarehouse(options)
	var err error
	// Without the lock's file, which is not made, no other instance runs.
	if w.lock, err = tryLock(options.Dir, flock.SetFlag(os.O_RDONLY)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if _, err = layout.Inspect(ctx, w.path); err == nil {
		session := duckdb.Session{ReadOnly: true, MemoryLimit: w.memory.Limit(), Background: true}
		if err = w.connect(ctx, session); err != nil {
			err = duckdb.OpenError(w.path, err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, w.lock.Unlock())
	}
	return w, nil
}
