package run

import (
	"context"

	"github.com/flashback-sync/flashback-sync/internal/forgotten"
)

// Forget erases a person or a conversation, so that no run stores them again, and proves it.
// A dry run counts what would be erased, and changes nothing. Nothing is requested of the
// source.
func Forget(ctx context.Context, options Options, person forgotten.Person) (*forgotten.Erased, error) {
	if err := person.Validate(options.Privacy); err != nil {
		return nil, err
	}
	options.forget = &person
	r := newRun(options, Source{})
	err := r.run(ctx)
	if r.forgotten == nil {
		return nil, err
	}
	return &r.forgotten.Done, err
}

// FinishForgetting completes what an interrupted forget left, and does nothing else.
func FinishForgetting(ctx context.Context, options Options) error {
	options.finish = true
	return newRun(options, Source{}).run(ctx)
}

// hide withholds the records of those who were forgotten or are suppressed.
func (r *run) hide(ctx context.Context) error {
	withheld, err := forgotten.Withhold(ctx, r.options.DataDir, r.options.LakeDir(), r.options.Privacy, r.warehouse)
	if err != nil {
		return err
	}
	r.forgotten = &forgotten.Eraser{Withheld: withheld, Warehouse: r.warehouse, Now: r.options.Now, Person: r.options.forget}
	r.options.Privacy = withheld.Policy
	if r.options.DryRun {
		return nil
	}
	return withheld.Complete()
}

// forget erases what the warehouse still has of those who were forgotten.
func (r *run) forget(ctx context.Context) error {
	err := r.forgotten.Erase(ctx)
	r.options.Privacy = r.forgotten.Policy
	return err
}

// prove searches data_dir for what was erased.
func (r *run) prove(ctx context.Context) error {
	err := r.forgotten.Prove(ctx)
	if proof := r.forgotten.Done.Proof; proof != nil && r.options.forget == nil {
		r.warn("", "an interrupted forget was completed: "+proof.Verdict())
	}
	return err
}
