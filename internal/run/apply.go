package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/erase"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// applyPolicy makes what is stored obey the policy. Everything is published again before
// anything is read from the source.
func (r *run) applyPolicy(ctx context.Context) error {
	changes, err := policyChanges(ctx, r.warehouse, r.options.Privacy)
	if err != nil {
		return err
	}
	treatments := map[string]schema.Treatment{}
	obedience := erase.Obedience{Now: r.options.Now(), Treatments: treatmentsOf(r.options.Privacy), Seal: r.options.Privacy.Seal}
	for _, c := range changes {
		treatments[c.Path()] = c.is.Treatment
	}
	changed := r.options.Privacy.Only(treatments)
	for _, c := range changes {
		if c.Table.Name == schema.RejectedRecords().Name {
			continue
		}
		obedience.Values = append(obedience.Values, duckdb.NewValue{TableColumn: c.TableColumn, Value: changed.Again(c.TableColumn)})
		if c.Entity == schema.Repo && c.IDOf == "" && c.is.Treatment != schema.Drop && c.is.Treatment != schema.Mask {
			obedience.Repos = append(obedience.Repos, c.TableColumn)
		}
	}
	obedience.Reject = rejectsAgain(r.options.Privacy)
	obedience.Filter = func(key checkpoints.Key) checkpoints.Key { return streams.KeyAgain(changed, key) }
	if err := erase.Obey(ctx, r.warehouse, obedience); err != nil {
		return err
	}
	r.warn("", fmt.Sprintf("the privacy policy was applied to what is stored: %d columns were rewritten; backups and exports of before are as they were", len(changes)))
	return nil
}

// rejectsAgain treats stored rejects of every stream.
func rejectsAgain(policy *transform.Policy) func(stream, raw, reason string) (string, string) {
	type pair struct{ raw, reason func(string) string }
	known := map[string]pair{}
	for _, s := range schema.Streams() {
		raw, reason := policy.RejectAgain(s)
		known[s.Name] = pair{raw, reason}
	}
	return func(stream, raw, reason string) (string, string) {
		p, ok := known[stream]
		if !ok {
			return raw, reason
		}
		return p.raw(raw), p.reason(reason)
	}
}

// finishErasing removes files that were set aside before something was erased: they have
// it still. It is called when everything is published.
func (r *run) finishErasing(ctx context.Context) error {
	pending, err := erase.Pending(ctx, r.warehouse)
	if err != nil || !pending {
		return err
	}
	if err := r.removeSetAside(); err != nil {
		return err
	}
	if !r.options.PublishDuckDB && exists(r.snapshotPath()) { // of an earlier configuration
		if err := os.Remove(r.snapshotPath()); err != nil {
			return &duckdb.StorageError{Doing: "erase", Err: err}
		}
		r.warn("", snapshotName+" was removed: it was published before something was erased, and is not published any more")
	}
	return erase.MarkDone(ctx, r.warehouse)
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
