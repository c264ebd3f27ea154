package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// obeyPolicy refuses to run while what is stored does not obey the policy, or applies it if
// the options say so: everything is published again before anything is read from the source.
// It records the policy if that is new.
func (r *run) obeyPolicy(ctx context.Context) error {
	err := privacy.Check(ctx, r.warehouse, r.options.Privacy)
	var changed *privacy.Changed
	if errors.As(err, &changed) && changed.Possible && r.options.ApplyPrivacy && !r.options.DryRun {
		columns, err := privacy.Apply(ctx, r.warehouse, r.options.Privacy, r.options.Now())
		if err == nil {
			r.warn("", fmt.Sprintf("the privacy policy was applied to what is stored: %d columns were rewritten; backups and exports of before are as they were", columns))
		}
		return err
	}
	if err != nil || r.options.DryRun {
		return err
	}
	return privacy.Record(ctx, r.warehouse, r.options.Privacy)
}

// finishErasing removes files that were set aside before something was erased: they have
// it still. It is called when everything is published.
func (r *run) finishErasing(ctx context.Context) error {
	pending, err := layout.Meta(ctx, r.warehouse.Conn(), layout.Erased)
	if err != nil || len(pending) == 0 {
		return duckdb.Wrap("read warehouse", err)
	}
	if err := r.removeSetAside(); err != nil {
		return err
	}
	if !r.options.PublishDuckDB && exists(r.snapshotPath()) { // of an earlier configuration
		if err := os.Remove(r.snapshotPath()); err != nil {
			return &duckdb.StorageError{Doing: "erase", Err: err}
		}
		r.warn("", snapshot.Name+" was removed: it was published before something was erased, and is not published any more")
	}
	return duckdb.Wrap("record erasure", layout.SetMeta(ctx, r.warehouse.Conn(), layout.Erased))
}

func (r *run) removeSetAside() error {
	state := filepath.Dir(load.File(r.options.DataDir))
	entries, err := os.ReadDir(state)
	if err != nil {
		return &duckdb.StorageError{Doing: "erase", Err: err}
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filepath.Base(load.File(""))+".before-") {
			continue
		}
		if removeErr := os.Remove(filepath.Join(state, entry.Name())); removeErr != nil {
			err = errors.Join(err, removeErr)
			continue
		}
		r.warn("", "state/"+entry.Name()+" was removed: it was set aside before something was erased")
	}
	if err != nil {
		return &duckdb.StorageError{Doing: "erase", Err: err}
	}
	return nil
}
