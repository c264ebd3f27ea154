package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/erase"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// KeyMissing says that there are tombstones, and not the key that they were made with.
type KeyMissing struct {
	KeyID string // of the tombstones
	Now   string // of the configuration; "" if it has no key
}

func (e *KeyMissing) Error() string {
	if e.Now == "" {
		return "somebody was forgotten or is suppressed, and the privacy key " + e.KeyID + " is not configured: their records would be stored again"
	}
	return fmt.Sprintf("somebody was forgotten or is suppressed with the privacy key %s, and the key now is %s: their records would be stored again", e.KeyID, e.Now)
}

// applied are the tombstones that a warehouse obeys.
type applied interface {
	Applied(ctx context.Context) ([]schema.Tombstone, error)
}

// Forgotten is of whom nothing is stored.
type Forgotten struct {
	*forgotten.List
	// Policy withholds their records.
	Policy *transform.Policy
	// Unfinished: something is to be erased or proven still.
	Unfinished bool

	unlisted bool // the list lacked some
}

// ReadForgotten reads the list, the manifest and the warehouse, since one of them may have
// been lost or restored.
func ReadForgotten(ctx context.Context, o *Options, stored applied) (*Forgotten, error) {
	list, err := forgotten.Read(o.DataDir)
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read who was forgotten", Err: err}
	}
	recorded, err := stored.Applied(ctx)
	if err != nil {
		return nil, err
	}
	f := &Forgotten{List: list, Policy: o.Privacy}
	f.unlisted = list.Add(recorded...)
	if manifest, err := lake.ReadManifest(o.LakeDir()); err == nil {
		f.unlisted = list.Add(manifest.Tombstones()...) || f.unlisted
	}
	if len(list.Entries) == 0 {
		return f, nil
	}
	for _, e := range list.Entries {
		if e.KeyID != o.Privacy.KeyID() {
			return nil, &KeyMissing{KeyID: e.KeyID, Now: o.Privacy.KeyID()}
		}
	}
	f.Policy = o.Privacy.Hiding(transform.HiddenBy(list.Tombstones()))
	f.Unfinished = list.Unfinished(recorded)
	return f, nil
}

// FinishForgetting completes what an interrupted forget left, and does nothing else.
func FinishForgetting(ctx context.Context, options Options) error {
	options.finish = true
	return newRun(options, Source{}).run(ctx)
}

// hide withholds the records of those who were forgotten or are suppressed.
func (r *run) hide(ctx context.Context) error {
	f, err := ReadForgotten(ctx, &r.options, r.warehouse)
	if err != nil {
		return err
	}
	r.forgotten, r.options.Privacy = f.List, f.Policy
	if f.unlisted && !r.options.DryRun {
		return r.writeForgotten()
	}
	return nil
}

func (r *run) writeForgotten() error {
	if err := r.forgotten.Write(r.options.DataDir); err != nil {
		return &duckdb.StorageError{Doing: "record who is forgotten", Err: err}
	}
	return nil
}

// forget erases what the warehouse still has of those who were forgotten: an earlier run was
// interrupted, or an older file was restored.
func (r *run) forget(ctx context.Context) error {
	if r.options.forget != nil {
		if err := r.enlist(ctx); err != nil {
			return err
		}
	}
	obeyed, err := r.warehouse.Applied(ctx)
	if err != nil {
		return err
	}
	due := func(e forgotten.Entry) bool { // a person is asked for again to search again
		return r.options.forget != nil && e.Erases() && e.Same(r.erased.Tombstone) ||
			!slices.ContainsFunc(obeyed, func(t schema.Tombstone) bool { return t.Covers(e.Tombstone) })
	}
	pending := slices.DeleteFunc(slices.Clone(r.forgotten.Entries), func(e forgotten.Entry) bool { return !due(e) })
	switch {
	case len(pending) == 0:
		return nil
	case !slices.ContainsFunc(pending, func(e forgotten.Entry) bool { return e.Erases() }):
		return erase.SetApplied(ctx, r.warehouse, r.forgotten.Tombstones())
	}
	done, err := erase.Forget(ctx, r.warehouse, forgetting(r.options.Privacy, r.forgotten.Tombstones()))
	if err != nil {
		return err
	}
	r.erased.Forgot = done
	if err := journal.Redact(r.options.DataDir, r.options.Privacy.Mentioned()); err != nil {
		return &duckdb.StorageError{Doing: "erase", Err: err}
	}
	return r.countErased(pending, done)
}

// countErased records what was erased of a person. It cannot be told apart for several.
func (r *run) countErased(pending []forgotten.Entry, done erase.Forgot) error {
	if len(pending) != 1 {
		return nil
	}
	e := r.forgotten.Find(pending[0].Tombstone)
	for _, n := range done.Rows {
		e.Rows += n
	}
	for _, n := range done.Texts {
		e.Texts += n
	}
	e.Rejects += done.Rejects
	return r.writeForgotten()
}

// forgetting is what load needs to erase what tombstones hide.
func forgetting(policy *transform.Policy, tombstones []schema.Tombstone) erase.Forgetting {
	f := erase.Forgetting{Tombstones: tombstones, IDs: erasedIDs(policy), Mentioned: policy.Mentioned()}
	rejects := map[string]func(string) bool{}
	for _, s := range schema.Streams() {
		rejects[s.Name] = policy.ErasedReject(s)
	}
	f.Reject = func(stream, raw string) bool {
		erased, known := rejects[stream]
		return known && erased(raw)
	}
	return f
}

func erasedIDs(policy *transform.Policy) (all []erase.ErasedID) {
	if !policy.Withholds() {
		return nil
	}
	for _, entity := range schema.Entities {
		for _, c := range schema.Identifying(entity) {
			all = append(all, erase.ErasedID{TableColumn: c, Erased: policy.Erased(c)})
		}
	}
	return all
}

// prove searches data_dir for what was erased, and forgets what it searched for.
func (r *run) prove(ctx context.Context) error {
	var needles []erasure.Needle
	for _, e := range r.forgotten.Entries {
		for _, s := range e.Sealed {
			text, err := r.options.Privacy.Open(s.Text)
			if err != nil {
				return err
			}
			needles = append(needles, erasure.Needle{Label: s.Label, Text: text, Exact: s.Exact, Column: s.Column})
		}
	}
	if len(needles) == 0 {
		return nil
	}
	if err := r.warehouse.CloseFile(ctx); err != nil {
		return err
	}
	proof, err := erasure.Search(ctx, r.options.DataDir, needles)
	if err != nil {
		return err
	}
	r.erased.Proof = proof
	if r.options.forget == nil {
		r.warn("", "an interrupted forget was completed: "+proof.Verdict())
	}
	for i := range r.forgotten.Entries {
		if e := &r.forgotten.Entries[i]; len(e.Sealed) > 0 {
			e.Sealed = nil
			if proof.Clean() {
				e.ProvenAt = r.options.Now().UTC()
			}
		}
	}
	if err := r.writeForgotten(); err != nil {
		return err
	}
	return r.warehouse.Reopen(ctx)
}
