package run

import (
	"context"
	"errors"
	"sync"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// writer writes a stream's batches while the next one is filled. Until it is
// closed nobody else uses the warehouse, nor the counts of the stream's result
// that say what became of the rows.
type writer struct {
	run    *run
	stream string
	result *Result

	batches chan batch
	once    sync.Once
	done    chan struct{} // closed when nothing more will be written
	failure error         // why; valid after done

	added   bool            // rows, to the open transaction
	rejects []schema.Reject // for its commit
	sealed  []string        // for its commit
}

// batch is what is written at once. With commit it ends the transaction.
type batch struct {
	built    []*transform.Built
	coverage []load.Coverage
	commit   bool
}

func (b batch) release() {
	for _, built := range b.built {
		built.Release()
	}
}

// openWriter starts a writer. An interruption waits for the batches that it was
// given: they are small, and have been received already.
func (r *run) openWriter(ctx context.Context, stream string, result *Result) *writer {
	w := &writer{run: r, stream: stream, result: result, batches: make(chan batch, 1), done: make(chan struct{})}
	go func() {
		defer crash.Exit()
		w.writeAll(context.WithoutCancel(ctx))
	}()
	return w
}

// put gives a batch to the writer, which releases it. The error is that of an
// earlier one.
func (w *writer) put(b batch) error {
	select {
	case w.batches <- b:
		return nil
	case <-w.done:
		b.release()
		return w.failure
	}
}

// close waits until everything is written.
func (w *writer) close() error {
	w.once.Do(func() { close(w.batches) })
	<-w.done
	return w.failure
}

// writeAll writes and releases batches until there are no more, or one fails.
func (w *writer) writeAll(ctx context.Context) {
	defer close(w.done)
	for b := range w.batches {
		err := w.add(ctx, b)
		b.release()
		if err != nil {
			w.failure = &unstoredError{err}
			return
		}
	}
}

// add brings a batch into the transaction, and ends that if it is time.
func (w *writer) add(ctx context.Context, b batch) error {
	updated := int64(0)
	for _, built := range b.built {
		for _, rows := range RowsOf(built) {
			var err error
			if updated, err = w.run.warehouse.Add(ctx, w.run.options.RunID, w.stream, rows); err != nil {
				return err
			}
			w.added = true
		}
		w.rejects = append(w.rejects, built.Rejects...)
		w.sealed = append(w.sealed, built.Sealed...)
	}
	// What was updated is committed without the coverage, which comes later.
	if !b.commit && updated < updatedRows || !w.added && len(w.rejects)+len(b.coverage) == 0 {
		return nil
	}
	counts, err := w.run.warehouse.Commit(ctx, load.Commit{
		RunID: w.run.options.RunID, Stream: w.stream, Rejects: w.rejects, Coverage: b.coverage, Sealed: w.sealed,
	})
	if err != nil {
		return err
	}
	w.added, w.rejects, w.sealed = false, nil, nil
	w.result.Inserted += counts.Inserted
	w.result.Updated += counts.Updated
	w.result.Unchanged += counts.Unchanged
	w.run.changed = w.run.changed || counts.Inserted+counts.Updated+counts.Quarantined > 0
	return nil
}

// unstoredError is why a transaction failed. It may have landed all the same.
type unstoredError struct{ error }

func (e *unstoredError) Unwrap() error { return e.error }

// storing reads a stream and stores it. If a transaction fails, it may have landed
// all the same: the warehouse is opened again, so that the ledger says what is stored,
// and the rest is read once more; more often only while there is more memory to give.
func (r *run) storing(ctx context.Context, stream string, read func() error) error {
	for tries := 1; ; tries++ {
		err := read()
		var unstored *unstoredError
		var refused *duckdb.StorageError
		if !errors.As(err, &unstored) || !errors.As(err, &refused) || refused.Permanent || ctx.Err() != nil {
			return err
		}
		if tries > 1 && !refused.MoreMemory {
			return err
		}
		r.warn(stream, "a commit failed and is tried once more: "+err.Error())
		if err := r.warehouse.Recover(ctx); err != nil {
			return err
		}
		r.changed = true // by the first try, if it landed
	}
}

// RowsOf are the rows of a batch as they are stored; none if it has only rejects.
func RowsOf(built *transform.Built) []load.Rows {
	if built.Record == nil {
		return nil
	}
	return []load.Rows{{Table: built.Table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest}}
}
