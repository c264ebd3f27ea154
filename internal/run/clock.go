package run

import (
	"context"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// clockDoubt is how far apart the source's clock and ours may be before a run warns.
const clockDoubt = time.Hour

// readClock requests the source's clock, and returns until when a run may cover
// what it reads. The zero time means that the source does not serve the stream,
// and that this is no failure. Of several policies the first that exists answers;
// the walk reports those that do not.
func (r *run) readClock(ctx context.Context, list streams.List) (until time.Time, err error) {
	var seen extract.Glimpse
	for _, query := range list.Queries(r.options.Privacy) {
		seen, err = r.requestClock(ctx, list, query)
		if api.KindOf(err) != api.NotFound {
			break
		}
	}
	switch missing := api.KindOf(err) == api.NotFound; {
	case missing && list.Optional:
		r.warn(list.Name(), "not served by this source (HTTP 404); the stream is optional, so this is no failure")
		return time.Time{}, nil
	case missing && len(list.Policies) > 0:
		return r.now(), nil
	case err == nil:
		r.clock = seen.Now
		r.warnOfClock(list, seen.Now)
		return r.coverable(list, seen), nil
	}
	return time.Time{}, err
}

// requestClock requests the source's clock: with a stored row of the lookback, which shows the
// resolution as well. That is not enough where none is stored, or the source's clock is so far
// ahead that its newest row has to be known.
func (r *run) requestClock(ctx context.Context, list streams.List, query api.Query) (extract.Glimpse, error) {
	now := r.options.Now().UTC()
	recent := checkpoints.Interval{From: now.Add(-list.Lookback), To: now}
	stored, err := r.warehouse.Middle(ctx, streams.Stored(r.options.Privacy, query, recent))
	if err != nil {
		return extract.Glimpse{}, err
	}
	if !stored.IsZero() {
		seen, requested, err := r.source.Probe(ctx, query, stored)
		if err != nil || requested && seen.Now.Sub(now) <= list.Lookback/2 {
			return seen, err
		}
	}
	return r.source.Peek(ctx, query, recent.From)
}

// warnOfClock warns once a run if the source's clock and ours are far apart: one of
// them is wrong, and what is due goes by the source's.
func (r *run) warnOfClock(list streams.List, clock time.Time) {
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
func (r *run) coverable(list streams.List, seen extract.Glimpse) time.Time {
	bound := r.options.Now().UTC()
	if seen.Newest.After(bound) {
		bound = seen.Newest
	}
	if seen.Now.Sub(bound) <= list.Lookback/2 {
		return seen.Now
	}
	return bound
}
