package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/transform"
)

// stats requests every series again, as far back as it is covered. A series that
// the source refuses was not compared, and leaves the others alone.
func (v *verification) stats(ctx context.Context) (failure error) {
	if v.options.Stats == nil {
		return nil
	}
	all, err := v.options.Stats.Series(ctx, v.options.Privacy, v.stored)
	if err != nil {
		return err
	}
	stream := v.options.Stats.Stream.Name
	for i, series := range all {
		s := &Stream{Stream: stream, Filter: series.Key().Filter, Status: NotSynced}
		v.report.Streams = append(v.report.Streams, s)
		err := v.series(ctx, series, s)
		switch kind := api.KindOf(err); {
		case kind == api.NotFound && series.Found: // it is gone at the source
			s.Status, err = NotServed, nil
		case kind == api.NotFound || kind == api.Refused:
			err = fmt.Errorf("%w: %s: %w", run.ErrIncomplete, series.Label(), err)
		}
		if err != nil {
			err = s.Fail(fmt.Errorf("verify %s: %w", stream, err))
		}
		failure = worse(failure, err)
		if err != nil && !errors.Is(err, run.ErrIncomplete) {
			return failure
		}
		v.options.Observe(run.Event{Kind: run.Verifying, Stream: stream, Rows: int64(i + 1), Expected: int64(len(all))})
	}
	return failure
}

// series compares the buckets that are requested, covered, and in the source's answer.
func (v *verification) series(ctx context.Context, series streams.Series, s *Stream) error {
	covered, err := v.stored.Coverage(ctx, series.Key(), checkpoints.Covered)
	if err != nil {
		return err
	}
	if span, ok := covered.Extent(); ok {
		covered = covered.Intersect(checkpoints.Of(requested(&v.options, span)))
	}
	if len(covered) == 0 { // never read, maybe because the source does not know it
		_, _, err := series.ReadBack(ctx, v.source, v.now(), v.now())
		return err
	}
	window, answer, err := series.ReadBack(ctx, v.source, v.now(), covered[0].From)
	if err != nil {
		return err
	}
	v.clock = answer.Now
	request := series.Request(window, answer, v.options.Now())
	given := typePoints(v.options.Privacy, series, request, answer)
	defer given.Release()
	compared := covered.Intersect(checkpoints.Of(request.Range()))
	span, ok := compared.Extent()
	if !ok {
		return fmt.Errorf("%w: %s: the source reaches back to %s only, and the stored buckets are older",
			run.ErrIncomplete, series.Label(), request.Range().From.Format(time.RFC3339))
	}
	found, source, stored, err := v.stored.ComparePoints(ctx, series.Stream.Table, conditions(series), compared, run.RowsOf(given))
	if err != nil {
		return err
	}
	s.From, s.To, s.Source, s.Stored = span.From, span.To, source, stored
	if found.Worst() != Match {
		found.To = found.To.Add(series.BucketLength())
		s.Findings = []Finding{found}
	}
	s.Close()
	return nil
}

// typePoints types the points of an answer.
func typePoints(privacy *transform.Policy, series streams.Series, request transform.Series, answer *api.StatsAnswer) *transform.Built {
	batch := transform.NewBatch(series.Stream.Table, privacy, memory.DefaultAllocator)
	defer batch.Release()
	for _, point := range answer.Series {
		batch.AddPoint(request, point)
	}
	return batch.Build()
}

// conditions select the stored rows of the series.
func conditions(s streams.Series) (all []load.Condition) {
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
