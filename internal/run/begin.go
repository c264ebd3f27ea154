package run

import (
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	// clockDoubt is how far apart the source's clock and ours may be where it is
	// said that something does not depend on a clock.
	clockDoubt = time.Hour
	// leastLookback is the shortest with which a first page is asked for together
	// with the clock: a row may appear while that answer is written, and the next
	// run has to read it.
	leastLookback = time.Hour
)

// begun is a first page that was asked for together with the source's clock, and
// what it is the first page of.
type begun struct {
	key  checkpoints.Key
	from time.Time
	page *extract.FirstPage
}

// serve gives the page to the job that it is the first of.
func (b begun) serve(job extract.Job) extract.Job {
	if job.Open && b.key == KeyOf(job.Query) && b.from.Equal(job.Interval.From) {
		job.First = b.page
	}
	return job
}

// begin asks the source for its clock, by the question that saves another one
// later: for the first page of what is due, if no clock is needed to know where
// that begins; or else for a row that is held, which tells the grain as well. Where
// there is neither it asks for the newest row.
func (r *run) begin(ctx context.Context, list List, query extract.Query) (extract.Glimpse, begun, error) {
	now := r.options.Now().UTC()
	from, known, err := r.newestDue(ctx, list, query, now)
	if err != nil {
		return extract.Glimpse{}, begun{}, err
	}
	if known {
		seen, err := r.source.Begin(ctx, query, from)
		return seen, begun{KeyOf(query), from, seen.First}, err
	}
	if seen, enough, err := r.recall(ctx, list, query, now); err != nil || enough {
		return seen, begun{}, err
	}
	seen, err := r.source.Peek(ctx, query, now.Add(-list.Lookback))
	return seen, begun{}, err
}

// newestDue is where the newest interval that is due begins, if that is known
// without the source's clock and the run will read up to its now.
func (r *run) newestDue(ctx context.Context, list List, query extract.Query, now time.Time) (from time.Time, known bool, err error) {
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

// recall asks for a row of the lookback that is held. That is not enough where
// the source's clock is so far ahead that its newest row has to be known.
func (r *run) recall(ctx context.Context, list List, query extract.Query, now time.Time) (seen extract.Glimpse, enough bool, err error) {
	recent := checkpoints.Interval{From: now.Add(-list.Lookback), To: now}
	held, err := r.warehouse.Holdings().Middle(ctx, Stored(schema.ByName(list.Name()), query, recent))
	if err != nil || held.IsZero() {
		return seen, false, err
	}
	seen, asked, err := r.source.Recall(ctx, query, held)
	return seen, asked && seen.Now.Sub(now) <= list.Lookback/2, err
}
