package load

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
)

// Rewrite makes the private file anew, so that what is left out or changed is in no byte of
// it: see package rewrite. Unpublished marks that the published files are older. Derived
// tables are copied like others: whoever removes a value from the rows of the source names
// the derived tables that have it too, since Derive deletes their rows in place.
//
// The new file is written beside the old one and renamed over it when it is complete, so
// that a crash leaves one or the other. It takes up to twice the space of the old one. The
// warehouse is closed meanwhile, with its lock held, and open again afterwards. After an
// error it is open with the old file, unless the folder could not be fsynced after the
// rename. If memory did not suffice, everything is done once more, Before and Then included.
func (w *Warehouse) Rewrite(ctx context.Context, changes rewrite.Changes) (rewrite.Counts, error) {
	done, err := w.rewrite(ctx, changes)
	if err != nil {
		err = errors.Join(err, layout.RemoveUnfinished(w.path))
	}
	if err = duckdb.Wrap("rewrite warehouse", err); err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return done, errors.Join(err, duckdb.Wrap("open warehouse again", w.Reopen(context.WithoutCancel(ctx))))
}

func (w *Warehouse) rewrite(ctx context.Context, changes rewrite.Changes) (done rewrite.Counts, err error) {
	if err := w.checkSpaceToRewrite(); err != nil {
		return rewrite.Counts{}, err
	}
	if err := w.CloseFile(ctx); err != nil {
		return rewrite.Counts{}, err
	}
	for done, err = rewrite.File(ctx, w.path, w.session(), changes); w.memory.GrowAfter(err); {
		done, err = rewrite.File(ctx, w.path, w.session(), changes)
	}
	if err == nil {
		_, err = layout.Inspect(ctx, w.path+layout.Unfinished)
	}
	if err == nil {
		err = errors.Join(duckdb.RemoveEmptyLog(w.path), w.markUnpublished())
	}
	if err == nil {
		err = durable.Install(w.path+layout.Unfinished, w.path)
	}
	if err != nil {
		return rewrite.Counts{}, err
	}
	return done, nil
}

// checkSpaceToRewrite checks that there is space for a second file, and for what it is made
// from.
func (w *Warehouse) checkSpaceToRewrite() error {
	info, err := os.Lstat(w.path)
	if err != nil {
		return err
	}
	return trySpace(filepath.Dir(w.path), leastSpace+2*uint64(info.Size()))
}
