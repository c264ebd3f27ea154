package run

import (
	"context"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load/derived"
)

// derive computes what is published beside the rows: which days are complete by the ledger
// for every query of the options, and the derived tables.
func (r *run) derive(ctx context.Context) error {
	queries, err := r.queries(ctx)
	if err != nil {
		return err
	}
	ledger, err := r.warehouse.Ledger(ctx)
	if err != nil {
		return err
	}
	for i, q := range queries {
		queries[i].CompleteTo = completeTo(ledger, q.Key, q.Start)
	}
	kept := slices.DeleteFunc(slices.Clone(r.options.Configured), func(stream string) bool { return slices.Contains(r.streams(), stream) })
	return r.warehouse.Derive(ctx, queries, kept)
}

// queries are those of the options: of lists, and of every series.
func (r *run) queries(ctx context.Context) (all []derived.Query, err error) {
	for _, list := range r.options.Lists {
		for _, q := range list.Queries(r.options.Privacy) {
			all = append(all, derived.Query{Key: streams.KeyOf(r.options.Privacy, q), PolicyID: q.Policy(), Start: list.Start})
		}
	}
	if r.options.Stats == nil {
		return all, nil
	}
	series, err := r.options.Stats.Series(ctx, r.options.Privacy, r.warehouse)
	for _, s := range series {
		all = append(all, derived.Query{
			Key: s.Key(), Scope: s.Scope, ScopeID: s.ID, RuleID: s.RuleID, APIKeyID: s.APIKeyID, BucketLength: s.Bucket,
		})
	}
	return all, err
}

// completeTo is the end of what is covered, lost at the source or expired, without a gap from
// the start on; zero if that is not covered. A zero start is the begin of what is covered.
func completeTo(ledger []checkpoints.Line, key checkpoints.Key, start time.Time) time.Time {
	var covered, known checkpoints.Set
	for _, line := range ledger {
		if line.Key() == key {
			known = known.Union(checkpoints.Of(line.Interval()))
			if line.Status == checkpoints.Covered {
				covered = covered.Union(checkpoints.Of(line.Interval()))
			}
		}
	}
	if start.IsZero() && len(known) > 0 {
		start = known[0].From
	}
	for _, interval := range known {
		if interval.Contains(start) && covered.Contains(interval.To.Add(-1)) {
			return interval.To
		}
	}
	return time.Time{}
}
