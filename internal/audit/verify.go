package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/privacy"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
)

// ErrDifference says that a verification found a difference.
var ErrDifference = errors.New("what is stored differs from the source")

// verification is the state of one verification.
type verification struct {
	options    run.Options
	source     run.Source
	stored     *dataDir
	report     *Report
	monthly    bool                                // totals are requested by month where files and warehouse agree
	only       map[checkpoints.Key]checkpoints.Set // if not nil: nothing else of the lists
	mismatched map[string]checkpoints.Set          // by table: where the warehouse is not what was published
	kept       map[string]time.Time                // by table: where the rows begin that have not expired
	clock      time.Time                           // the source's, when statistics were last requested
	unfinished bool                                // a forget was interrupted
}

// now is the source's clock where it is known.
func (v *verification) now() time.Time {
	if !v.clock.IsZero() {
		return v.clock
	}
	return v.options.Now()
}

// Verify compares what is stored with the source, and the published files with
// what is stored. It changes nothing. The report is nil if it could not start; the
// error is that of a source or a disk that fails, or run.ErrIncomplete if the source
// knows only some of the policies or series; never that of a difference.
func Verify(ctx context.Context, options run.Options, from run.Source) (*Report, error) {
	return verified(ctx, options, from, nil, func(ctx context.Context, v *verification) error {
		if v.unfinished {
			v.options.Observe(run.Event{Kind: run.Warned, Message: "a forget was interrupted: the next sync or repair completes it"})
		}
		return cmp.Or(v.files(ctx), v.crossCheck(ctx), v.ledger(ctx), worse(v.lists(ctx), v.stats(ctx)))
	})
}

// verified runs a verification and closes its report.
func verified(ctx context.Context, options run.Options, from run.Source, only map[checkpoints.Key]checkpoints.Set,
	do func(context.Context, *verification) error,
) (report *Report, err error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Observe == nil {
		options.Observe = func(run.Event) {}
	}
	stored, err := openDataDir(ctx, options.DataDir, options.Orphans())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	withheld, err := forgotten.Withhold(ctx, options.DataDir, options.LakeDir(), options.Privacy, stored)
	if err != nil {
		return nil, err
	}
	options.Privacy = withheld.Policy
	if err := privacy.Check(ctx, stored, options.Privacy); err != nil {
		return nil, err
	}
	options.Observe(run.Event{Kind: run.Opened})
	v := &verification{options: options, source: from, stored: stored, only: only, unfinished: withheld.Unfinished, mismatched: map[string]checkpoints.Set{}, report: &Report{
		Source: options.Source, DataDir: options.DataDir, Generator: "flashback-sync " + options.Version,
		Full: options.Full, StartedAt: options.Now().UTC(),
	}}
	before := from.Requests()
	err = do(ctx, v)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	v.report.Requests = from.Requests() - before
	v.report.FinishedAt = options.Now().UTC()
	v.report.Close()
	return v.report, err
}

// ledger copies the coverage ledger into the report.
func (v *verification) ledger(ctx context.Context) (err error) {
	v.report.Coverage, err = v.stored.Ledger(ctx)
	return err
}

// VerifyTotals compares a list's totals by month with what is stored, for a run that
// has the warehouse open and has read the lookback before now. It returns the worst status, ""
// if the source gives no totals to compare, and how many rows are missing. The error is a
// run.ErrIncomplete if a repair would fetch something.
func VerifyTotals(ctx context.Context, options *run.Options, stored *load.Warehouse, from run.Source, list streams.List, now time.Time) (status string, missing int64, err error) {
	whole := Stream{Stream: list.Name(), Status: Match}
	kept, err := stored.Expired(ctx, list.Name())
	if err != nil {
		return "", 0, err
	}
	for _, query := range list.Queries(options.Privacy) {
		covered, err := stored.Coverage(ctx, streams.KeyOf(options.Privacy, query), checkpoints.Covered)
		if err != nil {
			return "", 0, err
		}
		// A source that compares whole days gives no total to compare.
		if resolution, err := from.Resolution(ctx, query); err != nil || resolution >= day {
			return "", 0, err
		}
		old, _ := covered.Split(now.Add(-list.Lookback).Truncate(time.Second))
		old = checkpoints.Of(checkpoints.Interval{From: list.Start, To: now}).Intersect(old)
		s := Stream{Stream: list.Name(), Filter: streams.KeyOf(options.Privacy, query).Filter}
		c := comparison{source: from, stored: reader{stored.Reader, &sync.Mutex{}}, query: query, table: list.Table(), privacy: options.Privacy, step: NextMonth, kept: kept}
		if err := c.verify(ctx, &s, old); err != nil {
			return "", 0, fmt.Errorf("verify: %w", err)
		}
		whole.Findings = append(whole.Findings, s.Findings...)
	}
	whole.Close()
	switch repairable := whole.Repairable(); {
	case len(repairable) > 0:
		err = fmt.Errorf("%w: the verification found %d rows missing, %d changed and %d unproven, first in %s; 'flashback-sync repair' fetches them",
			run.ErrIncomplete, whole.Missing, whole.Differs, whole.Unproven, repairable[0])
	case whole.Extra > 0:
		options.Observe(run.Event{Kind: run.Warned, Stream: list.Name(), Message: fmt.Sprintf(
			"the source has deleted %d rows that are kept here, the first in %s", whole.Extra, whole.Findings[0].Interval())})
	}
	return string(whole.Status), whole.Missing, err
}
