package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/verify"
	"github.com/flashback-sync/flashback-sync/schema"
)

// verifyIfDue compares the stream's totals by month with what is held, once in a
// while: all that is older than the lookback, which the run has just read. What is
// missing makes the run partial; what the source has deleted is only told.
func (r *run) verifyIfDue(ctx context.Context, list List, now time.Time, result *Result) error {
	due, err := r.verificationDue(ctx, list)
	if err != nil || !due {
		return err
	}
	whole := verify.Stream{Stream: list.Name(), Status: verify.Match}
	for _, query := range list.Queries() {
		covered, err := r.warehouse.Coverage(ctx, keyOf(query), checkpoints.Covered)
		if err != nil {
			return err
		}
		// A source that compares whole days gives no total to compare.
		if grain, err := r.source.Grain(ctx, query); err != nil || grain >= day {
			return err
		}
		old, _ := covered.Split(now.Add(-list.Lookback).Truncate(time.Second))
		old = checkpoints.Of(checkpoints.Interval{From: list.Start, To: now}).Intersect(old)
		s := verify.Stream{Stream: list.Name(), Filter: query.Key()}
		p := proof{source: r.source, holdings: r.warehouse.Holdings(), query: query, table: schema.ByName(list.Name())}
		if err := p.verify(ctx, &s, old, verify.Totals{Step: verify.NextMonth}); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		whole.Findings = append(whole.Findings, s.Findings...)
	}
	whole.Close()
	result.Verified, result.VerifiedMissing = string(whole.Status), whole.Missing
	switch repairable := whole.Repairable(); {
	case len(repairable) > 0:
		result.Complete = false
		return fmt.Errorf("%w: the verification found %d rows missing, %d changed and %d unproven, first in %s; 'flashback-sync repair' fetches them",
			ErrIncomplete, whole.Missing, whole.Differs, whole.Unproven, repairable[0])
	case whole.Extra > 0:
		r.warn(list.Name(), fmt.Sprintf("the source has deleted %d rows that are kept here, the first in %s", whole.Extra, whole.Findings[0].Interval()))
	}
	return nil
}

func (r *run) verificationDue(ctx context.Context, list List) (bool, error) {
	if r.options.VerifyEvery <= 0 || r.options.mend != nil || !r.options.From.IsZero() || !r.options.To.IsZero() {
		return false, nil
	}
	last, err := r.warehouse.LastVerified(ctx, list.Name())
	if err != nil {
		return false, err
	}
	if last.IsZero() { // the first run has just read everything
		last, err = r.warehouse.FirstRun(ctx, list.Name())
	}
	return !last.IsZero() && r.summary.StartedAt.Sub(last) >= r.options.VerifyEvery, err
}
