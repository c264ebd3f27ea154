package run

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// run is the state of one run.
type run struct {
	options   Options
	source    Source
	warehouse *load.Warehouse
	summary   *Summary
	changed   bool      // rows or rejects were committed that are not published
	clock     time.Time // the source's clock, when it was last seen
	crashed   bool      // an earlier run may have been killed while it published

	expired map[string]time.Time // the end of what had expired of each stream when the run began
	dropped []string             // what has expired in it, in words

	clockWarned bool // that it is far from ours

	forgotten *forgotten.Eraser // of whom nothing is stored, and what a Forget did

	rehearsal string // the temporary folder of a dry run, or ""

	mu sync.Mutex // keeps events one at a time
}

// Run syncs the streams. The summary is never nil; the error says why the run
// could not start or could not be finished: see package load for its types, and
// each stream's own failure in the summary.
func Run(ctx context.Context, options Options, from Source) (*Summary, error) {
	r := newRun(options, from)
	return r.summary, r.run(ctx)
}

func newRun(options Options, from Source) *run {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Observe == nil {
		options.Observe = func(Event) {}
	}
	return &run{options: options, source: from, summary: &Summary{
		RunID: options.RunID, Streams: map[string]*Result{}, StartedAt: options.Now().UTC(),
	}}
}

func (r *run) run(ctx context.Context) error {
	err := r.rehearse()
	if err == nil {
		err = r.execute(ctx)
	}
	if durable.FoldersRefused() && !r.options.DryRun {
		r.warn("", "the file system of data_dir does not sync folders: after a power cut an older file may be in the place of a published one; the next run publishes it again")
	}
	r.summary.finish(r.options.Now())
	if err != nil {
		r.summary.Status = journal.Failed
	}
	// What fails after a failure has its cause, and would only hide it.
	if r.warehouse != nil {
		err = cmp.Or(err, r.warehouse.Close())
	}
	if r.rehearsal != "" {
		err = cmp.Or(err, os.RemoveAll(r.rehearsal))
	}
	return err
}

// rehearse gives a dry run that has no warehouse yet one of its own, since it
// writes nothing to data_dir.
func (r *run) rehearse() (err error) {
	if !r.options.DryRun || exists(load.File(r.options.DataDir)) {
		return nil
	}
	if err := load.RefuseOrphans(r.options.DataDir, r.options.Orphans()); err != nil {
		return err
	}
	r.rehearsal, err = os.MkdirTemp("", "flashback-sync-")
	r.options.DataDir = r.rehearsal
	return err
}

func (r *run) execute(ctx context.Context) (err error) {
	open := load.Open
	if r.options.DryRun && r.rehearsal == "" {
		open = load.OpenReadOnly
	}
	r.warehouse, err = open(ctx, load.Options{
		Dir: r.options.DataDir, Version: r.options.Version, Now: r.options.Now,
		Writing: !r.options.DryRun, Copied: r.options.PublishDuckDB,
		Published: r.options.Orphans(),
	})
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.readExpired, r.hide, r.refuseOlder, r.obeyPolicy} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if r.options.DryRun && r.options.forget != nil {
		return r.forgotten.Preview(ctx)
	}
	if r.options.DryRun {
		return r.syncAll(ctx)
	}
	if err := r.sweep(); err != nil {
		return &duckdb.StorageError{Doing: "sweep data_dir", Err: err}
	}
	r.observe(Event{Kind: Opened})
	if err := r.removeForeignLog(); err != nil {
		return err
	}
	r.crashed = exists(r.unpublishedPath())
	for _, step := range []func(context.Context) error{r.forget, r.refill, r.publishLeftovers, r.finishErasing, r.prove} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if r.options.forget != nil || r.options.finish {
		return nil
	}
	if err := durable.Write(r.unpublishedPath(), nil); err != nil {
		return &duckdb.StorageError{Doing: "start run", Err: err}
	}
	if r.options.expire.IsZero() {
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	if err := r.retain(ctx); err != nil {
		return err
	}
	if !r.options.expire.IsZero() {
		if err := layout.AddMeta(ctx, r.warehouse.Conn(), layout.Erased, ""); err != nil {
			return duckdb.Wrap("record erasure", err)
		}
	}
	// What was read is published even if the disk has no space to drop what is old.
	failure := r.expire(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = r.publish(ctx)
	if err := cmp.Or(failure, err); err != nil || r.options.expire.IsZero() {
		return err
	}
	return cmp.Or(r.warehouse.Reopen(ctx), r.finishErasing(ctx))
}

// read reads what is due of every stream.
func (r *run) read(ctx context.Context) error {
	if err := r.warehouse.StartRun(ctx, r.options.RunID, r.streams(), r.summary.StartedAt); err != nil {
		return err
	}
	if err := r.syncAll(ctx); err != nil {
		return err
	}
	if err := r.republish(ctx); err != nil {
		return err
	}
	return ctx.Err() // what changed stays listed, and the next run publishes it
}

// sweep removes the temporary files that crashes left behind, and a file of releases up
// to 0.1. A crash leaves some in the folders of the lake's partitions, which are many,
// only if it leaves the mark, too.
func (r *run) sweep() error {
	dir := r.options.DataDir
	err := os.RemoveAll(filepath.Join(dir, "state", "last_run.json"))
	for _, table := range schema.Tables() {
		if exists(r.unpublishedPath()) && table.Partition != schema.Unpartitioned {
			err = errors.Join(err, durable.Sweep(filepath.Join(r.options.LakeDir(), table.Name)))
		}
	}
	return errors.Join(err, durable.SweepFolder(dir), durable.SweepFolder(filepath.Dir(load.File(dir))), durable.SweepFolder(r.options.LakeDir()))
}

func (r *run) streams() []string {
	var names []string
	for _, list := range r.options.Lists {
		names = append(names, list.Name())
	}
	if r.options.Stats != nil {
		names = append(names, r.options.Stats.Stream.Name)
	}
	return names
}

// syncAll runs one stream after the other: each uses all connections by itself.
// Only a failing disk or an interruption stops the rest.
func (r *run) syncAll(ctx context.Context) error {
	syncList, syncStats := r.syncList, r.syncStats
	if r.options.DryRun {
		syncList, syncStats = r.dryList, r.dryStats
	}
	for _, list := range r.options.Lists {
		err := r.stream(ctx, list.Name(), func(result *Result) error { return syncList(ctx, list, result) })
		if err != nil {
			return err
		}
	}
	if r.options.Stats == nil {
		return nil
	}
	return r.stream(ctx, r.options.Stats.Stream.Name, func(result *Result) error { return syncStats(ctx, *r.options.Stats, result) })
}

func (r *run) stream(ctx context.Context, name string, sync func(*Result) error) error {
	started, before := r.options.Now(), r.source.Requests()
	result := &Result{Stream: journal.Stream{Served: true, Queries: streams.Wanted(r.options.Privacy, r.options.Lists, r.options.Stats)[name].Digest}}
	result.Err = sync(result)
	result.Requests = r.source.Requests() - before
	result.Took = r.options.Now().Sub(started)
	r.summary.add(name, result)
	r.observe(Event{Kind: Finished, Stream: name, Rows: result.Received, Requests: result.Requests, Result: result})
	var storage *duckdb.StorageError
	if errors.As(result.Err, &storage) {
		return result.Err
	}
	if r.options.DryRun {
		return nil
	}
	return r.warehouse.FinishRun(context.WithoutCancel(ctx),
		result.record(r.options.RunID, name, r.options.Version, r.summary.StartedAt, r.options.Now().UTC()))
}

func (r *run) observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Observe(e)
}

func (r *run) warn(stream, message string) {
	r.observe(Event{Kind: Warned, Stream: stream, Message: message})
}

// now is the source's clock where it is known, so that a wrong clock of our own
// neither leaves a gap nor requests too much.
func (r *run) now() time.Time {
	if !r.clock.IsZero() {
		return r.clock
	}
	return r.options.Now().UTC()
}

// unpublishedPath is a mark that exists from a run's start until all it committed
// is published. Where a crash leaves it, the next run publishes.
func (r *run) unpublishedPath() string {
	return filepath.Join(r.options.DataDir, load.Unpublished)
}
