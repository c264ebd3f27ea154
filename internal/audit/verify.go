package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// ErrDifference says that a verification found a difference.
var ErrDifference = errors.New("what is held differs from the source")

// verification is the state of one verification.
type verification struct {
	options  run.Options
	source   run.Source
	evidence *load.Evidence
	report   *Report
	step     func(*schema.Table) func(time.Time) time.Time
	only     map[checkpoints.Key]checkpoints.Set // if not nil: nothing else of the lists
	suspects map[string]checkpoints.Set          // by table: where the warehouse is not what was published
	clock    time.Time                           // the source's, when statistics were last asked for
}

// now is the source's clock where it is known.
func (v *verification) now() time.Time {
	if !v.clock.IsZero() {
		return v.clock
	}
	return v.options.Now()
}

// Verify compares what is stored with the source, and the published files with
// what is stored. It changes nothing. The report is nil if it could not begin; the
// error is that of a source or a disk that fails, or run.ErrIncomplete if the source
// knows only some of the policies or series; never that of a difference.
func Verify(ctx context.Context, options run.Options, from run.Source) (*Report, error) {
	return verified(ctx, options, from, nil, func(ctx context.Context, v *verification) error {
		return cmp.Or(v.files(ctx), v.witness(ctx), v.ledger(ctx), graver(v.lists(ctx), v.stats(ctx)))
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
	evidence, err := load.OpenEvidence(ctx, options.DataDir, snapshot.Name, options.Orphans())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, evidence.Close()) }()
	options.Observe(run.Event{Kind: run.Began})
	v := &verification{options: options, source: from, evidence: evidence, only: only, report: &Report{
		Source: options.Source, DataDir: options.DataDir, Generator: "flashback-sync " + options.Version,
		Full: options.Full, StartedAt: options.Now().UTC(),
	}}
	v.step = func(*schema.Table) func(time.Time) time.Time { return NextDay }
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

// lists verifies one list stream after the other. One whose source fails leaves
// the others alone; the report says why, and the gravest failure is returned.
func (v *verification) lists(ctx context.Context) (failure error) {
	for _, list := range v.options.Lists {
		err := v.list(ctx, list)
		failure = graver(failure, err)
		if hopeless(err) {
			break
		}
	}
	return failure
}

// hopeless reports whether the other streams would fail in the same way.
func hopeless(err error) bool {
	kind, known := extract.KindOf(err)
	return err != nil && (!known || kind == extract.Unauthorized)
}

// graver is the first failure; one that only left something uncompared gives way.
func graver(a, b error) error {
	if a == nil || b != nil && errors.Is(a, run.ErrIncomplete) && !errors.Is(b, run.ErrIncomplete) {
		return b
	}
	return a
}

// list verifies every query of a list stream. The stream is not served if the
// source knows none of them; a single one that it does not know was not compared.
func (v *verification) list(ctx context.Context, list run.List) (failure error) {
	var unknown []*Stream
	queries := list.Queries()
	for _, query := range queries {
		s := &Stream{Stream: list.Name(), Filter: query.Key(), Status: NotSynced}
		err := v.query(ctx, list, query, s)
		if kind, known := extract.KindOf(err); known && kind == extract.NotFound {
			unknown = append(unknown, s)
			if query.PolicyPath != "" {
				err = fmt.Errorf("%w: policy %s: %w", run.ErrIncomplete, query.PolicyPath, err)
			}
		}
		if err != nil {
			err = s.Fail(fmt.Errorf("verify %s: %w", list.Name(), err))
		}
		failure = graver(failure, err)
		if hopeless(err) {
			return failure
		}
	}
	if list.Optional && len(unknown) == len(queries) {
		for _, s := range unknown {
			s.Status, s.Error = NotServed, ""
		}
		return nil
	}
	return failure
}

// query verifies one query of a list stream.
func (v *verification) query(ctx context.Context, list run.List, query extract.Query, s *Stream) error {
	covered, err := v.evidence.Coverage(ctx, run.KeyOf(query), checkpoints.Covered)
	if err != nil {
		return err
	}
	reached, err := v.evidence.Reached(ctx, list.Name())
	if err != nil {
		return err
	}
	parts := provable(&v.options, list, covered, reached)
	if v.only != nil {
		parts = v.only[run.KeyOf(query)]
	}
	if v.only == nil || len(parts) > 0 {
		v.report.Streams = append(v.report.Streams, s)
	}
	if len(parts) == 0 {
		return nil
	}
	table := schema.ByName(list.Name())
	p := proof{source: v.source, holdings: v.evidence.Holdings, query: query, table: table}
	return p.verify(ctx, s, parts, Totals{
		Step: v.step(table), Full: v.options.Full,
		Suspect: func(i checkpoints.Interval) bool { // not for the moments by which a cut missed midnight
			return v.suspects[table.Name].Intersect(checkpoints.Of(i)).Duration() > time.Minute
		},
		Observe: func(done, all int) {
			v.options.Observe(run.Event{Kind: run.Verifying, Stream: list.Name(), Rows: int64(done), Expected: int64(all)})
		},
	})
}

// provable is what the stream claims to hold, or tried to read: from its start to
// the last watermark, gaps included, within what a person asked for.
func provable(o *run.Options, list run.List, covered checkpoints.Set, reached time.Time) checkpoints.Set {
	if hull, ok := covered.Hull(); ok && hull.To.After(reached) {
		reached = hull.To
	}
	asked := checkpoints.Interval{From: list.Start, To: reached}
	if o.From.After(asked.From) {
		asked.From = o.From
	}
	if !o.To.IsZero() && o.To.Before(asked.To) {
		asked.To = o.To
	}
	return checkpoints.Of(asked)
}

// stats requests every series again, as far back as it is covered. A series that
// the source refuses was not compared, and leaves the others alone.
func (v *verification) stats(ctx context.Context) (failure error) {
	if v.options.Stats == nil {
		return nil
	}
	all, err := v.options.Stats.Series(ctx, v.evidence)
	if err != nil {
		return err
	}
	for i, of := range all {
		s := &Stream{Stream: run.PolicyStats, Filter: of.Key().Filter, Status: NotSynced}
		v.report.Streams = append(v.report.Streams, s)
		covered, err := v.evidence.Coverage(ctx, of.Key(), checkpoints.Covered)
		if err != nil {
			return err
		}
		if covered = within(&v.options, covered); len(covered) > 0 {
			err = v.series(ctx, of, covered, s)
		}
		kind, known := extract.KindOf(err)
		switch missing := known && kind == extract.NotFound; {
		case missing && of.Found(): // it was found in the events, and is gone at the source
			s.Status, err = NotServed, nil
		case missing || known && kind == extract.Refused:
			err = fmt.Errorf("%w: %s: %w", run.ErrIncomplete, of.Label(), err)
		}
		if err != nil {
			err = s.Fail(fmt.Errorf("verify %s: %w", run.PolicyStats, err))
		}
		failure = graver(failure, err)
		if err != nil && !errors.Is(err, run.ErrIncomplete) {
			return failure
		}
		v.options.Observe(run.Event{Kind: run.Verifying, Stream: run.PolicyStats, Rows: int64(i + 1), Expected: int64(len(all))})
	}
	return failure
}

// within narrows a set to what a person asked for.
func within(o *run.Options, set checkpoints.Set) checkpoints.Set {
	hull, ok := set.Hull()
	if !ok {
		return nil
	}
	if o.From.After(hull.From) {
		hull.From = o.From
	}
	if !o.To.IsZero() && o.To.Before(hull.To) {
		hull.To = o.To
	}
	return set.Intersect(checkpoints.Of(hull))
}

// series compares the buckets that are both covered and in the source's answer.
func (v *verification) series(ctx context.Context, of run.Series, covered checkpoints.Set, s *Stream) error {
	window, answer, err := of.ReadBack(ctx, v.source, v.now(), covered[0].From)
	if err != nil {
		return err
	}
	v.clock = answer.Now
	batch, points := batchOf(of, window, answer, v.options.Now())
	defer batch.Release()
	compared := covered.Intersect(checkpoints.Of(checkpoints.Interval(points)))
	hull, ok := compared.Hull()
	if !ok {
		return fmt.Errorf("%w: %s: the source reaches back to %s only, and the stored buckets are older", run.ErrIncomplete, of.Label(), points.From.Format(time.RFC3339))
	}
	var rows []load.Rows
	if batch.Record != nil {
		rows = []load.Rows{{Table: batch.Table, Record: batch.Record, Oldest: batch.Oldest, Newest: batch.Newest}}
	}
	found, err := v.evidence.ComparePoints(ctx, schema.PolicyStats(), conditions(of), compared, rows)
	if err != nil {
		return err
	}
	s.From, s.To, s.Source, s.Held = hull.From, hull.To, found.Source, found.Stored
	if found.Missing+found.Differs+found.Extra > 0 {
		s.Findings = []Finding{{
			From: found.Oldest, To: found.Newest.Add(run.BucketLength(of.Bucket)),
			Missing: found.Missing, Extra: found.Extra, Differs: found.Differs, Samples: found.Samples,
		}}
	}
	s.Close()
	return nil
}

// conditions select the stored rows of the series.
func conditions(s run.Series) (all []load.Condition) {
	for _, c := range []struct{ column, value string }{
		{"scope", s.Scope}, {"scope_id", s.ID}, {"rule_id", s.RuleID}, {"api_key_id", s.APIKeyID}, {"bucket_size", s.Bucket},
	} {
		condition := load.Condition{Column: c.column}
		if c.value != "" {
			condition.Values = []string{c.value}
		}
		all = append(all, condition)
	}
	return all
}

// witness compares the statistics with the events of the same buckets, where
// events of every kind are synced.
func (v *verification) witness(ctx context.Context) error {
	if v.options.Stats == nil {
		return nil
	}
	for _, list := range v.options.Lists {
		if query := list.Query; query.Key() != (extract.Query{}).Key() || len(list.Policies) > 0 {
			continue // the statistics count what this stream leaves out
		}
		covered, err := v.evidence.Coverage(ctx, run.KeyOf(list.Query), checkpoints.Covered)
		if err != nil {
			return err
		}
		for _, interval := range covered {
			bucket := v.options.Stats.Bucket
			all, err := v.evidence.Witnesses(ctx, list.Name(), bucket, run.BucketLength(bucket), interval.From, interval.To)
			if err != nil {
				return err
			}
			for _, w := range all {
				of := run.Series{Scope: w.Scope, ID: w.ScopeID}
				v.report.Witness = append(v.report.Witness, Witness{
					Series: of.Label() + ", " + w.Event, Buckets: w.Buckets, Agree: w.Agree, First: w.First, Counted: w.Counted, Held: w.Held,
				})
			}
		}
	}
	return nil
}

func (v *verification) ledger(ctx context.Context) error {
	lines, err := v.evidence.Ledger(ctx)
	for _, l := range lines {
		v.report.Coverage = append(v.report.Coverage, LedgerLine(l))
	}
	return err
}
