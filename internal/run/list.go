package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// syncList reads what is due of alerts or violations.
func (r *run) syncList(ctx context.Context, list List, result *Result) error {
	now, first, err := r.peek(ctx, list)
	if err != nil || !result.served(now) {
		return err
	}
	before, err := r.coveredBefore(ctx, list)
	if err != nil {
		return err
	}
	if r.options.RetryRejected {
		if err := r.retryRejects(ctx, list.Name(), result); err != nil {
			return err
		}
	}
	err = r.storing(ctx, list.Name(), func() error {
		page := first
		first = begun{} // the answer is used once
		return r.readList(ctx, list, now, page, before, result)
	})
	if err != nil {
		return err
	}
	result.Complete = true
	return r.verifyIfDue(ctx, list, now, result)
}

// readList reads what the ledger lacks, and the lookback.
func (r *run) readList(ctx context.Context, list List, now time.Time, first begun, before checkpoints.Set, result *Result) error {
	jobs, err := r.planList(ctx, list, now, first)
	if err != nil {
		return err
	}
	result.span(jobs)
	r.observe(Event{Kind: Planned, Stream: list.Name(), Message: describe(jobs)})
	gathered := r.gather(ctx, schema.ByName(list.Name()), result)
	defer gathered.release()
	walks := r.source.Walk(jobs)
	err = r.drain(ctx, walks, jobs, gathered)
	if err = gathered.finish(ctx, err); err != nil {
		return err
	}
	if err := r.noteLateness(ctx, list, before); err != nil {
		return err
	}
	return missing(walks, jobs)
}

// coveredBefore is what had been read of every question of the list before the run.
func (r *run) coveredBefore(ctx context.Context, list List) (before checkpoints.Set, err error) {
	for i, query := range list.Queries() {
		covered, err := r.warehouse.Coverage(ctx, KeyOf(query), checkpoints.Covered)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			before = covered
		} else {
			before = before.Intersect(covered)
		}
	}
	return before, nil
}

// noteLateness learns how late rows come. What a repair restores was not late.
func (r *run) noteLateness(ctx context.Context, list List, before checkpoints.Set) error {
	if r.options.Repair != nil {
		return nil
	}
	return r.warehouse.Lateness(ctx, r.options.RunID, schema.ByName(list.Name()), r.summary.StartedAt, before)
}

// peek asks for the source's clock, and returns until when a run may vouch for
// what it reads. The zero time means that the source does not serve the stream,
// and that this is no failure. Of several policies the first that exists answers;
// the walk reports those that do not.
func (r *run) peek(ctx context.Context, list List) (until time.Time, first begun, err error) {
	var seen extract.Glimpse
	for _, query := range list.Queries() {
		seen, first, err = r.begin(ctx, list, query)
		if kind, known := extract.KindOf(err); !known || kind != extract.NotFound {
			break
		}
	}
	kind, known := extract.KindOf(err)
	missing := known && kind == extract.NotFound
	switch {
	case missing && list.Optional:
		r.warn(list.Name(), "not served by this source (HTTP 404); the stream is optional, so this is no failure")
		return time.Time{}, begun{}, nil
	case missing && len(list.Policies) > 0:
		return r.now(), begun{}, nil
	case err == nil:
		r.clock = seen.Now
		r.warnOfClock(list, seen.Now)
		return r.vouchable(list, seen), first, nil
	}
	return time.Time{}, begun{}, err
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

// vouchable is the source's now, unless its clock is far ahead of all else that
// tells the time: then what comes until it is right again would count as read. What is
// newer than that is read, and read again by the next run.
// Our own clock may be behind, and the rows may be quiet; the later of the two
// bounds it. Half a lookback ahead does no harm: so much before the last watermark
// is read again in any case.
func (r *run) vouchable(list List, seen extract.Glimpse) time.Time {
	bound := r.options.Now().UTC()
	if seen.Newest.After(bound) {
		bound = seen.Newest
	}
	if seen.Now.Sub(bound) <= list.Lookback/2 {
		return seen.Now
	}
	return bound
}

// served notes whether the source has the stream. One that it does not have is
// complete as it is.
func (r *Result) served(now time.Time) bool {
	r.Served = !now.IsZero()
	r.Complete = !r.Served
	return r.Served
}

// planList turns what is due into jobs, the newest first.
func (r *run) planList(ctx context.Context, list List, now time.Time, first begun) ([]extract.Job, error) {
	var jobs []extract.Job
	for _, query := range list.Queries() {
		if r.options.Repair != nil {
			for _, interval := range newestFirst(r.options.Repair.Lists[KeyOf(query)]) {
				jobs = append(jobs, extract.Job{Query: query, Interval: interval, Sparing: true})
			}
			continue
		}
		covered, err := r.warehouse.Coverage(ctx, KeyOf(query), checkpoints.Covered)
		if err != nil {
			return nil, err
		}
		end := now.UTC().Truncate(time.Second)
		for _, interval := range newestFirst(r.due(list, covered, end)) {
			jobs = append(jobs, first.serve(extract.Job{
				Query: query, Interval: interval, Open: !interval.To.Before(end), Sparing: mostlyCovered(interval, covered),
			}))
		}
	}
	return jobs, nil
}

// mostlyCovered reports whether an interval is read again rather than for the
// first time.
func mostlyCovered(i checkpoints.Interval, covered checkpoints.Set) bool {
	return 2*checkpoints.Of(i).Intersect(covered).Duration() > i.Duration()
}

// due is what the plan, or the range a person asked for, makes of the coverage.
func (r *run) due(list List, covered checkpoints.Set, now time.Time) checkpoints.Set {
	wanted := checkpoints.Interval{From: list.Start, To: now}
	if !r.options.To.IsZero() && r.options.To.Before(now) {
		wanted.To = r.options.To
	}
	if !r.options.From.IsZero() {
		wanted.From = r.options.From
		covered = nil
	}
	return checkpoints.Plan{Wanted: wanted, Lookback: list.Lookback}.Due(covered)
}

func newestFirst(s checkpoints.Set) []checkpoints.Interval {
	out := make([]checkpoints.Interval, 0, len(s))
	for i := len(s) - 1; i >= 0; i-- {
		out = append(out, s[i])
	}
	return out
}

// Queries are the stream's questions: one, or one for each policy. Each has
// coverage of its own, so that a policy added later is read from the start.
func (l List) Queries() []extract.Query {
	if len(l.Policies) == 0 {
		return []extract.Query{l.Query}
	}
	queries := make([]extract.Query, len(l.Policies))
	for i, policy := range l.Policies {
		queries[i] = l.Query
		queries[i].PolicyPath = policy
	}
	return queries
}

// KeyOf is the key of a query in the coverage ledger.
func KeyOf(q extract.Query) checkpoints.Key {
	return checkpoints.Key{Stream: string(q.List), Filter: q.Key()}
}

// drain moves pages into batches and commits them.
func (r *run) drain(ctx context.Context, walks *extract.Walks, jobs []extract.Job, g *gatherer) error {
	before := r.source.Requests()
	for page, err := range walks.Pages(ctx) {
		if err != nil {
			return err
		}
		g.repeated(page.Repeated)
		for _, record := range page.Records {
			if err := g.add(ctx, func() transform.Outcome { return g.rows.Add(record) }); err != nil {
				return err
			}
		}
		page.Release()
		g.cover(KeyOf(jobs[page.Job].Query), checkpoints.Covered, checkpoints.Of(page.Covered...))
		if err := g.commitIfDue(ctx); err != nil {
			return err
		}
		r.observe(Event{
			Kind: Progressed, Stream: g.stream, Rows: g.result.Received,
			Expected: int64(walks.Expected()), Requests: r.source.Requests() - before,
		})
	}
	return nil
}

// missing says what the walks could not prove complete.
func missing(walks *extract.Walks, jobs []extract.Job) error {
	var lines []string
	for _, s := range walks.Shortfalls() {
		lines = append(lines, fmt.Sprintf("%s: the source counts %s more than it gives",
			s.Interval, english.Plural(s.Missing, "row", "")))
	}
	for job, err := range walks.NotFound() {
		lines = append(lines, fmt.Sprintf("policy %s: %v", jobs[job].Query.PolicyPath, err))
	}
	if len(lines) == 0 {
		return nil
	}
	const most = 5
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%w: %s", ErrIncomplete, strings.Join(lines, "; "))
}

// span notes the watermarks: from the earliest to the latest instant that is due.
func (r *Result) span(jobs []extract.Job) {
	for _, job := range jobs {
		if from := job.Interval.From; r.From == nil || from.Before(*r.From) {
			r.From = &from
		}
		if to := job.Interval.To; r.To == nil || to.After(*r.To) {
			r.To = &to
		}
	}
}

func describe(jobs []extract.Job) string {
	if len(jobs) == 0 {
		return "nothing is due"
	}
	var span Result
	span.span(jobs)
	return fmt.Sprintf("reading %s: %s to %s", english.Plural(len(jobs), "period", ""),
		span.From.Format(time.RFC3339), span.To.Format(time.RFC3339))
}
