package run

import (
	"context"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// clockDoubt is how far apart the source's clock and ours may be where a
	// decision must not depend on a clock.
	clockDoubt = time.Hour
	// leastLookback is the shortest with which a first page is requested together
	// with the clock: a row may appear while that answer is written, and the next
	// run has to read it.
	leastLookback = time.Hour
)

// firstPage is a page that was requested together with the source's clock, and what
// it is the first page of.
type firstPage struct {
	key  checkpoints.Key
	from time.Time
	page *api.Answer
}

// serve gives the page to the job that it is the first of.
func (f firstPage) serve(job extract.Job) extract.Job {
	if job.Open && f.key == KeyOf(job.Query) && f.from.Equal(job.Interval.From) {
		job.First = f.page
	}
	return job
}

// readClock requests the source's clock, and returns until when a run may cover
// what it reads. The zero time means that the source does not serve the stream,
// and that this is no failure. Of several policies the first that exists answers;
// the walk reports those that do not.
func (r *run) readClock(ctx context.Context, list List) (until time.Time, first firstPage, err error) {
	var seen extract.Glimpse
	for _, query := range list.Queries() {
		seen, first, err = r.requestClock(ctx, list, query)
		if kind, known := api.KindOf(err); !known || kind != api.NotFound {
			break
		}
	}
	kind, known := api.KindOf(err)
	missing := known && kind == api.NotFound
	switch {
	case missing && list.Optional:
		r.warn(list.Name(), "not served by this source (HTTP 404); the stream is optional, so this is no failure")
		return time.Time{}, firstPage{}, nil
	case missing && len(list.Policies) > 0:
		return r.now(), firstPage{}, nil
	case err == nil:
		r.clock = seen.Now
		r.warnOfClock(list, seen.Now)
		return r.coverable(list, seen), first, nil
	}
	return time.Time{}, firstPage{}, err
}

// requestClock requests the source's clock with the request that saves another one
// later: for the first page of what is due, if that begins at an instant that depends
// on no clock; otherwise for a stored row, which gives the resolution as well. Where
// there is neither it requests the newest row.
func (r *run) requestClock(ctx context.Context, list List, query api.Query) (extract.Glimpse, firstPage, error) {
	now := r.options.Now().UTC()
	from, known, err := r.newestDue(ctx, list, query, now)
	if err != nil {
		return extract.Glimpse{}, firstPage{}, err
	}
	if known {
		seen, err := r.source.Begin(ctx, query, from)
		return seen, firstPage{KeyOf(query), from, seen.First}, err
	}
	if seen, enough, err := r.requestStored(ctx, list, query, now); err != nil || enough {
		return seen, firstPage{}, err
	}
	seen, err := r.source.Peek(ctx, query, now.Add(-list.Lookback))
	return seen, firstPage{}, err
}

// newestDue is where the newest interval that is due begins, if that is known
// without the source's clock and the run will read up to its now.
func (r *run) newestDue(ctx context.Context, list List, query api.Query, now time.Time) (from time.Time, known bool, err error) {
	o := r.options
	if o.DryRun || o.Repair != nil || !o.To.IsZero() || list.Lookback < leastLookback {
		return from, false, nil
	}
	covered, err := r.warehouse.Coverage(ctx, KeyOf(query), checkpoints.Covered)
	if err != nil {
		return from, false, err
	}
	early, late := r.due(list, covered, now.Add(-clockDoubt)), r.due(list, covered, now.Add(clockDoubt))
	if len(early) == 0 || len(late) == 0 {
		return from, false, nil
	}
	from = late[len(late)-1].From
	return from, from.Equal(early[len(early)-1].From), nil
}

// requestStored requests a stored row of the lookback. That is not enough where
// the source's clock is so far ahead that its newest row has to be known.
func (r *run) requestStored(ctx context.Context, list List, query api.Query, now time.Time) (seen extract.Glimpse, enough bool, err error) {
	recent := checkpoints.Interval{From: now.Add(-list.Lookback), To: now}
	stored, err := r.warehouse.Middle(ctx, Stored(list.Table(), query, recent))
	if err != nil || stored.IsZero() {
		return seen, false, err
	}
	seen, requested, err := r.source.Probe(ctx, query, stored)
	return seen, requested && seen.Now.Sub(now) <= list.Lookback/2, err
}

// warnOfClock warns once a run if the source's clock and ours are far apart: one of
// them is wrong, and what is due goes by the source's.
func (r *run) warnOfClock(list List, clock time.Time) {
	own := r.options.Now().UTC()
	if r.clockWarned || clock.Sub(own).Abs() <= clockDoubt {
		return
	}
	r.clockWarned = true
	r.warn(list.Name(), fmt.Sprintf("the source's clock says %s, our own %s: one of them is wrong, and runs go by the source's",
		clock.Format(time.RFC3339), own.Format(time.RFC3339)))
}

// coverable is the source's now, unless its clock is far ahead of everything else that
// gives the time: otherwise rows that appear until it is right again would count as
// read. Newer rows are read, and read again by the next run. Our own clock may be
// behind, and no new rows may appear; the later of the two is the bound. Half a
// lookback ahead does no harm: so much before the last watermark is read again in any
// case.
func (r *run) coverable(list List, seen extract.Glimpse) time.Time {
	bound := r.options.Now().UTC()
	if seen.Newest.After(bound) {
		bound = seen.Newest
	}
	if seen.Now.Sub(bound) <= list.Lookback/2 {
		return seen.Now
	}
	return bound
}
