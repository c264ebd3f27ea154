package run

import (
	"context"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// Verification is what a comparison of a stream's totals found.
type Verification struct {
	Status                            string // the worst; "" if the source gives no totals to compare
	Missing, Extra, Differs, Unproven int64
	First                             checkpoints.Interval // the first range that differs; one that a repair fetches, if there is one
	Repairable                        bool                 // a repair would fetch something
}

// verifyIfDue compares the stream's totals by month with what is stored, once in a
// while: all that is older than the lookback, which the run has just read. What is
// missing makes the run partial; what the source has deleted is only reported.
func (r *run) verifyIfDue(ctx context.Context, list streams.List, now time.Time, result *Result) error {
	due, err := r.verificationDue(ctx, list)
	if err != nil || !due {
		return err
	}
	found, err := r.options.Verify(ctx, &r.options, r.warehouse, r.source, list, now)
	if err != nil || found.Status == "" {
		return err
	}
	result.Verified, result.VerifiedMissing = found.Status, found.Missing
	switch {
	case found.Repairable:
		result.Complete = false
		return fmt.Errorf("%w: the verification found %d rows missing, %d changed and %d unproven, first in %s; 'flashback-sync repair' fetches them",
			ErrIncomplete, found.Missing, found.Differs, found.Unproven, found.First)
	case found.Extra > 0:
		r.warn(list.Name(), fmt.Sprintf("the source has deleted %d rows that are kept here, the first in %s", found.Extra, found.First))
	}
	return nil
}

func (r *run) verificationDue(ctx context.Context, list streams.List) (bool, error) {
	o := r.options
	if o.Verify == nil || o.VerifyEvery <= 0 || o.Repair != nil || !o.From.IsZero() || !o.To.IsZero() {
		return false, nil
	}
	last, err := r.warehouse.LastVerified(ctx, list.Name())
	if err != nil {
		return false, err
	}
	if last.IsZero() { // the first run has just read everything
		last, err = r.warehouse.FirstRun(ctx, list.Name())
	}
	return !last.IsZero() && r.summary.StartedAt.Sub(last) >= o.VerifyEvery, err
}
