package run

import (
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// verifyIfDue compares the stream's totals by month with what is stored, once in a
// while: all that is older than the lookback, which the run has just read. What is
// missing makes the run partial; what the source has deleted is only reported.
func (r *run) verifyIfDue(ctx context.Context, list streams.List, now time.Time, result *Result) error {
	due, err := r.verificationDue(ctx, list)
	if err != nil || !due {
		return err
	}
	status, missing, err := r.options.Verify(ctx, &r.options, r.warehouse, r.source, list, now)
	if status != "" {
		result.Verified, result.VerifiedMissing = status, missing
		result.Complete = err == nil
	}
	return err
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
