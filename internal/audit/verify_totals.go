package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
)

// VerifyTotals compares a list's totals by month with what is stored, for a run that
// has the warehouse open and has read the lookback before now.
func VerifyTotals(ctx context.Context, options *run.Options, stored *load.Warehouse, from run.Source, list streams.List, now time.Time) (run.Verification, error) {
	whole := Stream{Stream: list.Name(), Status: Match}
	kept, err := stored.Expired(ctx, list.Name())
	if err != nil {
		return run.Verification{}, err
	}
	for _, query := range list.Queries(options.Privacy) {
		covered, err := stored.Coverage(ctx, streams.KeyOf(options.Privacy, query), checkpoints.Covered)
		if err != nil {
			return run.Verification{}, err
		}
		// A source that compares whole days gives no total to compare.
		if resolution, err := from.Resolution(ctx, query); err != nil || resolution >= day {
			return run.Verification{}, err
		}
		old, _ := covered.Split(now.Add(-list.Lookback).Truncate(time.Second))
		old = checkpoints.Of(checkpoints.Interval{From: list.Start, To: now}).Intersect(old)
		s := Stream{Stream: list.Name(), Filter: streams.KeyOf(options.Privacy, query).Filter}
		c := comparison{source: from, stored: reader{Reader: stored.Reader, mu: &sync.Mutex{}}, query: query, table: list.Table(), privacy: options.Privacy, step: NextMonth, kept: kept}
		if err := c.verify(ctx, &s, old); err != nil {
			return run.Verification{}, fmt.Errorf("verify: %w", err)
		}
		whole.Findings = append(whole.Findings, s.Findings...)
	}
	whole.Close()
	found := run.Verification{
		Status: string(whole.Status), Missing: whole.Missing, Extra: whole.Extra, Differs: whole.Differs, Unproven: whole.Unproven,
	}
	switch repairable := whole.Repairable(); {
	case len(repairable) > 0:
		found.First, found.Repairable = repairable[0], true
	case len(whole.Findings) > 0:
		found.First = whole.Findings[0].Interval()
	}
	return found, nil
}
