package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// lists verifies one list stream after the other. One whose source fails leaves
// the others alone; the report says why, and the worst failure is returned.
func (v *verification) lists(ctx context.Context) (failure error) {
	for _, list := range v.options.Lists {
		err := v.list(ctx, list)
		failure = worse(failure, err)
		if endsAll(err) {
			break
		}
	}
	return failure
}

// endsAll reports whether the other streams would fail in the same way.
func endsAll(err error) bool {
	kind := api.KindOf(err)
	return err != nil && (kind == api.None || kind == api.Unauthorized)
}

// worse is the first failure; one that only left something uncompared gives way.
func worse(a, b error) error {
	if a == nil || b != nil && errors.Is(a, run.ErrIncomplete) && !errors.Is(b, run.ErrIncomplete) {
		return b
	}
	return a
}

// list verifies every query of a list stream. The stream is not served if the
// source knows none of them; a single one that it does not know was not compared.
func (v *verification) list(ctx context.Context, list streams.List) (failure error) {
	var unknown []*Stream
	queries := list.Queries(v.options.Privacy)
	for _, query := range queries {
		s := &Stream{Stream: list.Name(), Filter: streams.KeyOf(v.options.Privacy, query).Filter, Status: NotSynced}
		err := v.query(ctx, list, query, s)
		if api.KindOf(err) == api.NotFound {
			unknown = append(unknown, s)
			if query.PolicyPath != "" {
				err = fmt.Errorf("%w: policy %s: %w", run.ErrIncomplete, query.Policy(), err)
			}
		}
		if err != nil {
			err = s.Fail(fmt.Errorf("verify %s: %w", list.Name(), err))
		}
		failure = worse(failure, err)
		if endsAll(err) {
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
func (v *verification) query(ctx context.Context, list streams.List, query api.Query, s *Stream) error {
	covered, err := v.stored.Coverage(ctx, streams.KeyOf(v.options.Privacy, query), checkpoints.Covered)
	if err != nil {
		return err
	}
	reached, err := v.stored.Reached(ctx, list.Name())
	if err != nil {
		return err
	}
	kept, err := v.stored.Expired(ctx, list.Name())
	if err != nil {
		return err
	}
	// What the stream claims to store, or tried to read: from its start to the last watermark,
	// gaps included, within the requested range.
	if span, ok := covered.Extent(); ok && span.To.After(reached) {
		reached = span.To
	}
	_, parts := checkpoints.Of(requested(&v.options, checkpoints.Interval{From: list.Start, To: reached})).Split(kept)
	if v.only != nil {
		parts = v.only[streams.KeyOf(v.options.Privacy, query)]
	}
	if v.only == nil || len(parts) > 0 {
		v.report.Streams = append(v.report.Streams, s)
	}
	if len(parts) == 0 && v.only != nil {
		return nil
	}
	if len(parts) == 0 { // never read, maybe because the source does not serve it
		_, err := v.source.Peek(ctx, query, list.Start)
		return err
	}
	c := comparison{
		source: v.source, stored: v.stored.reader, query: query, table: list.Table(), privacy: v.options.Privacy, step: v.step(list.Table()), full: v.options.Full, kept: kept,
		mustRead: func(i checkpoints.Interval) bool { // not for the moments by which a split missed midnight
			return v.mismatched[list.Table().Name].Intersect(checkpoints.Of(i)).Duration() > time.Minute
		},
		observe: func(done, all int) {
			v.options.Observe(run.Event{Kind: run.Verifying, Stream: list.Name(), Rows: int64(done), Expected: int64(all)})
		},
	}
	return c.verify(ctx, s, parts)
}

// requested is the part of an interval that the options' From and To leave.
func requested(o *run.Options, i checkpoints.Interval) checkpoints.Interval {
	if o.From.After(i.From) {
		i.From = o.From
	}
	if !o.To.IsZero() && o.To.Before(i.To) {
		i.To = o.To
	}
	return i
}
