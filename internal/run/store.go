package run

import (
	"context"
	"errors"
	"sync"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/transform"
)

// store writes what a stream gathers while more is being gathered. Until it is
// closed nobody else uses the warehouse, nor the counts of the stream's result
// that say what became of the rows.
type store struct {
	run    *run
	stream string
	result *Result

	take    func(parcel)
	parcels chan parcel
	once    sync.Once
	done    chan struct{} // closed when nothing more will be written
	failure error         // why; valid after done

	added   bool          // rows, to the open transaction
	rejects []load.Reject // for its commit
}

// parcel is what is handed over at once. With commit it ends the transaction.
type parcel struct {
	built    []*transform.Built
	coverage []load.Coverage
	commit   bool
}

func (p parcel) release() {
	for _, built := range p.built {
		built.Release()
	}
}

// inTurn makes a store write before it goes on gathering, in the same thread. Tests
// that let the calls of one thread fail set it.
var inTurn = false

// openStore begins to write. An interruption waits for what was handed over: that
// is little, and has been received already.
func (r *run) openStore(ctx context.Context, stream string, result *Result) *store {
	s := &store{run: r, stream: stream, result: result, parcels: make(chan parcel, 1), done: make(chan struct{})}
	ctx = context.WithoutCancel(ctx)
	s.take = func(p parcel) { s.write(ctx, p) }
	if !inTurn {
		go func() {
			defer crash.Exit()
			s.takeAll()
		}()
	}
	return s
}

// put hands a parcel over, which the store releases. The error is that of an
// earlier one.
func (s *store) put(p parcel) error {
	if inTurn {
		s.take(p)
		return s.failure
	}
	select {
	case s.parcels <- p:
		return nil
	case <-s.done:
		p.release()
		return s.failure
	}
}

// close waits until everything is written.
func (s *store) close() error {
	s.once.Do(func() {
		close(s.parcels)
		if inTurn {
			s.takeAll()
		}
	})
	<-s.done
	return s.failure
}

func (s *store) takeAll() {
	defer close(s.done)
	for p := range s.parcels {
		if s.take(p); s.failure != nil {
			return
		}
	}
}

// write writes a parcel, unless an earlier one failed, and releases it.
func (s *store) write(ctx context.Context, p parcel) {
	defer p.release()
	if s.failure != nil {
		return
	}
	if err := s.add(ctx, p); err != nil {
		s.failure = &unstoredError{err}
	}
}

// add brings a parcel into the transaction, and ends that if it is time.
func (s *store) add(ctx context.Context, p parcel) error {
	updated := int64(0)
	for _, rows := range p.rows() {
		var err error
		if updated, err = s.run.warehouse.Add(ctx, s.run.options.RunID, s.stream, rows); err != nil {
			return err
		}
		s.added = true
	}
	s.rejects = append(s.rejects, p.rejects()...)
	// What was updated is committed without the coverage, which comes later.
	if !p.commit && updated < updatedRows || !s.added && len(s.rejects)+len(p.coverage) == 0 {
		return nil
	}
	counts, err := s.run.warehouse.Commit(ctx, load.Commit{
		RunID: s.run.options.RunID, Stream: s.stream, Rejects: s.rejects, Coverage: p.coverage,
	})
	if err != nil {
		return err
	}
	s.added, s.rejects = false, nil
	s.result.Inserted += counts.Inserted
	s.result.Updated += counts.Updated
	s.result.Unchanged += counts.Unchanged
	s.run.changed = s.run.changed || counts.Inserted+counts.Updated+counts.Quarantined > 0
	return nil
}

// unstoredError is why a transaction failed. It may have landed all the same.
type unstoredError struct{ error }

func (e *unstoredError) Unwrap() error { return e.error }

// storing reads a stream and stores it. If a transaction fails, it may have landed
// all the same: the warehouse is opened again, so that the ledger tells what is held,
// and the rest is read once more; more often only while there is more memory to give.
func (r *run) storing(ctx context.Context, stream string, read func() error) error {
	for tries := 1; ; tries++ {
		err := read()
		var unstored *unstoredError
		var refused *duckdb.StorageError
		if !errors.As(err, &unstored) || !errors.As(err, &refused) || refused.Permanent || ctx.Err() != nil {
			return err
		}
		if tries > 1 && !refused.Promising {
			return err
		}
		r.warn(stream, "a commit failed and is tried once more: "+err.Error())
		if err := r.warehouse.Recover(ctx); err != nil {
			return err
		}
		r.changed = true // by the first try, if it landed
	}
}

func (p parcel) rows() (rows []load.Rows) {
	for _, built := range p.built {
		if built.Record != nil {
			rows = append(rows, load.Rows{Table: built.Table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest})
		}
	}
	return rows
}

func (p parcel) rejects() (rejects []load.Reject) {
	for _, built := range p.built {
		for _, reject := range built.Rejects {
			rejects = append(rejects, load.Reject{Reason: reject.Reason, Raw: reject.Raw})
		}
	}
	return rejects
}
