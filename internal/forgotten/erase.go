package forgotten

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Eraser erases those who were forgotten from a warehouse that is open for writing, and
// proves it.
type Eraser struct {
	*Withheld
	Warehouse *load.Warehouse
	Now       func() time.Time
	// Person is who is forgotten or suppressed now; nil completes what was interrupted.
	Person *Person
	Done   Erased
}

// enlist adds the person to the list, with what the proof needs, and so decides: whatever
// happens from now on, the erasure is completed.
func (w *Eraser) enlist(ctx context.Context) error {
	t, needles, err := w.tombstone(ctx)
	if err != nil {
		return err
	}
	before := w.List.Tombstones()
	w.List.Add(t)
	e := w.List.Find(t)
	if !w.Person.Suppress {
		e.ProvenAt = time.Time{}
		for _, n := range needles {
			n.Text = w.Policy.Seal(n.Text)
			if !slices.ContainsFunc(e.Sealed, func(s erasure.Needle) bool { return s.Text == n.Text }) {
				e.Sealed = append(e.Sealed, n)
			}
		}
	}
	w.Done.Tombstone = e.Tombstone
	if w.Person.Suppress && slices.ContainsFunc(before, func(b schema.Tombstone) bool { return b.Covers(t) }) {
		return nil
	}
	w.Policy = w.Policy.Hiding(transform.HiddenBy(w.List.Tombstones()))
	return w.save()
}

// Preview counts what a Forget would erase.
func (w *Eraser) Preview(ctx context.Context) error {
	t, _, err := w.tombstone(ctx)
	if err != nil || w.Person.Suppress {
		return err
	}
	w.Done.Tombstone = t
	hidden := w.Policy.Hiding(transform.HiddenBy([]schema.Tombstone{t}))
	w.Done.Forgot, err = newErasing(hidden).count(ctx, w.Warehouse.Conn())
	return err
}

// Erase erases what the warehouse still has of those who were forgotten: an earlier run was
// interrupted, or an older file was restored.
func (w *Eraser) Erase(ctx context.Context) error {
	if w.Person != nil {
		if err := w.enlist(ctx); err != nil {
			return err
		}
	}
	obeyed, err := w.Warehouse.Applied(ctx)
	if err != nil {
		return err
	}
	due := func(e Entry) bool { // a person is asked for again to search again
		return w.Person != nil && e.Erases() && e.Same(w.Done.Tombstone) ||
			!slices.ContainsFunc(obeyed, func(t schema.Tombstone) bool { return t.Covers(e.Tombstone) })
	}
	pending := slices.DeleteFunc(slices.Clone(w.List.Entries), func(e Entry) bool { return !due(e) })
	switch {
	case len(pending) == 0:
		return nil
	case !slices.ContainsFunc(pending, func(e Entry) bool { return e.Erases() }):
		return duckdb.Transact(ctx, w.Warehouse.Conn(), "record tombstones", func(tx *sql.Tx) error { return recordApplied(ctx, tx, w.List.Tombstones()) })
	}
	if err := w.rewrite(ctx); err != nil {
		return err
	}
	if err := journal.Redact(w.dir, w.Policy.Mentioned()); err != nil {
		return &duckdb.StorageError{Doing: "erase", Err: err}
	}
	return w.count(pending)
}

// rewrite makes the warehouse anew without what is erased. The days that it was of are
// computed again when everything is published.
func (w *Eraser) rewrite(ctx context.Context) error {
	e := newErasing(w.Policy)
	done, err := w.Warehouse.Rewrite(ctx, e.changes(w.List.Tombstones()))
	if err != nil {
		return err
	}
	w.Done.Forgot = Forgot{Rows: map[string]int64{}, Texts: map[string]int64{}, Days: len(e.days), Rejects: done.Removed[schema.RejectedRecords().Name]}
	for _, t := range e.tables() {
		w.Done.note(t, done.Removed[t.Name], done.Changed[t.Name])
	}
	return nil
}

// count records what was erased of a person. It cannot be told apart for several.
func (w *Eraser) count(pending []Entry) error {
	if len(pending) != 1 {
		return nil
	}
	e := w.List.Find(pending[0].Tombstone)
	for _, n := range w.Done.Rows {
		e.Rows += n
	}
	for _, n := range w.Done.Texts {
		e.Texts += n
	}
	e.Rejects += w.Done.Rejects
	return w.save()
}

// Prove searches data_dir for what was erased, and forgets what it searched for.
func (w *Eraser) Prove(ctx context.Context) error {
	var needles []erasure.Needle
	for _, e := range w.List.Entries {
		for _, s := range e.Sealed {
			var err error
			if s.Text, err = w.Policy.Open(s.Text); err != nil {
				return err
			}
			needles = append(needles, s)
		}
	}
	if len(needles) == 0 {
		return nil
	}
	if err := w.Warehouse.CloseFile(ctx); err != nil {
		return err
	}
	proof, err := erasure.Search(ctx, w.dir, needles)
	if err != nil {
		return err
	}
	w.Done.Proof = proof
	for i := range w.List.Entries {
		if e := &w.List.Entries[i]; len(e.Sealed) > 0 {
			e.Sealed = nil
			if proof.Clean() {
				e.ProvenAt = w.Now().UTC()
			}
		}
	}
	if err := w.save(); err != nil {
		return err
	}
	return w.Warehouse.Reopen(ctx)
}
