package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/internal/views"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// ledgerAge is how old the published ledger may become while no row changes.
// Runs that find nothing new within it rewrite no file; nightly ones refresh it.
const ledgerAge = 12 * time.Hour

// publishLeftovers publishes what a run committed that was killed before it
// could publish.
func (r *run) publishLeftovers(ctx context.Context) error {
	left := r.changed || exists(r.unpublishedPath())
	for _, table := range schema.Tables() {
		changed, err := r.warehouse.Changed(ctx, table)
		if err != nil {
			return err
		}
		if len(changed) == 0 {
			continue
		}
		left = true
		if _, err := r.warehouse.Dedupe(ctx, r.options.RunID, table); err != nil {
			return err
		}
	}
	if !left {
		return nil
	}
	r.changed = true
	if err := r.publish(ctx); err != nil {
		return err
	}
	r.changed, r.crashed = false, false
	return r.warehouse.Reopen(ctx)
}

// republish lists what a repair found to be published wrongly.
func (r *run) republish(ctx context.Context) error {
	if r.options.Repair == nil {
		return nil
	}
	r.changed = true
	for table, partitions := range r.options.Repair.Partitions {
		if err := r.warehouse.MarkChanged(ctx, table, partitions); err != nil {
			return err
		}
	}
	return nil
}

// publish writes the lake and the analysts' file from committed state, and
// leaves the private file closed.
func (r *run) publish(ctx context.Context) error {
	if err := r.derive(ctx); err != nil {
		return err
	}
	ledger, err := r.warehouse.Ledger(ctx)
	if err != nil {
		return err
	}
	queries, err := r.warehouse.Queries(ctx)
	if err != nil {
		return err
	}
	refresh, note := r.changed || r.stale(ledger, queries), published.Read(r.options.DataDir)
	altered := r.altered(note)
	done, err := r.publishLake(ctx, ledger, queries, refresh, note, slices.Contains(altered, manifestPath))
	if err != nil {
		return err
	}
	if err := r.warehouse.CloseFile(ctx); err != nil {
		return err
	}
	snapshotDue := r.options.PublishDuckDB && (done.Changed || refresh || !note.Same(r.options.DataDir, snapshot.Name))
	if snapshotDue {
		err = snapshot.Publish(ctx, load.File(r.options.DataDir), r.snapshotPath())
	}
	if err == nil {
		err = views.Publish(ctx, r.options.DataDir, r.options.Views, note, done.Changed || refresh, func(message string) { r.warn("", message) })
	}
	if err == nil {
		r.warnAltered(altered, done.Altered)
		err = r.note(done)
	}
	if err == nil {
		err = os.RemoveAll(r.unpublishedPath())
	}
	if err != nil {
		return publishError(ctx, err)
	}
	r.observe(Event{Kind: Published, Message: describePublication(done, snapshotDue) + r.describeDropped()})
	return nil
}

// publishLake writes the lake, and takes what is published off the list of what changed.
func (r *run) publishLake(ctx context.Context, ledger []checkpoints.Line, queries []derived.Query, refresh bool, note *published.Note, distrust bool) (lake.Result, error) {
	generation, err := r.warehouse.NextGeneration(ctx)
	if err != nil {
		return lake.Result{}, err
	}
	treated, err := r.warehouse.Treatments(ctx)
	if err != nil {
		return lake.Result{}, err
	}
	treated = slices.DeleteFunc(treated, func(t schema.Treated) bool { return t.Treatment == schema.Keep })
	sealed, err := r.warehouse.Sealed(ctx)
	if err != nil {
		return lake.Result{}, err
	}
	done, err := lake.Publish(ctx, lake.Options{
		Dir: r.options.LakeDir(), Compression: r.options.Compression, Generator: "flashback-sync " + r.options.Version,
		Now: r.options.Now(), Coverage: ledger, Queries: queries, Refresh: refresh, Generation: generation, Privacy: treated, Sealed: sealed, Forgotten: r.forgotten.Tombstones(),
		Known:   func(path string, now durable.Identity) bool { return note.Knows("lake/"+path, now) },
		Rewrite: distrust,
	}, r.warehouse)
	if err != nil {
		return done, publishError(ctx, err)
	}
	for table, partitions := range done.Written {
		if err := r.warehouse.MarkPublished(ctx, table, partitions); err != nil {
			return done, err
		}
	}
	return done, nil
}

func describePublication(p lake.Result, written bool) string {
	if !p.Changed && !written {
		return "nothing changed, no file was rewritten"
	}
	text := fmt.Sprintf("%s (%s)", english.Plural(p.Files, "Parquet file", ""), humanize.Bytes(uint64(max(p.Bytes, 0))))
	if written {
		text += " and " + snapshot.Name
	}
	text += " written"
	if p.Removed > 0 {
		text += fmt.Sprintf(", %s without rows removed", english.Plural(p.Removed, "file", ""))
	}
	return text
}

func (r *run) snapshotPath() string { return filepath.Join(r.options.DataDir, snapshot.Name) }

func publishError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var storage *duckdb.StorageError
	if errors.As(err, &storage) {
		return err
	}
	return &duckdb.StorageError{Doing: "publish", Err: err}
}

// stale reports whether the published ledger and queries have to be renewed although no
// row changed: they lack something other than the passing of time, or are old.
func (r *run) stale(ledger []checkpoints.Line, queries []derived.Query) bool {
	manifest, err := lake.ReadManifest(r.options.LakeDir())
	if err != nil {
		return true
	}
	age := r.options.Now().Sub(manifest.GeneratedAt)
	return age >= ledgerAge || age < 0 ||
		!slices.EqualFunc(manifest.Coverage, ledger, func(a, b checkpoints.Line) bool {
			return a.Key() == b.Key() && a.Status == b.Status && a.From.Equal(b.From)
		}) ||
		!slices.EqualFunc(manifest.Queries, queries, func(a, b derived.Query) bool { return a.Key == b.Key && a.Start.Equal(b.Start) }) ||
		!slices.EqualFunc(manifest.Forgotten, r.forgotten.Tombstones(), func(a lake.Forgotten, b schema.Tombstone) bool { return a.Covers(b) && b.Covers(a.Tombstone) })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
