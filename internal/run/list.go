package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/transform"
)

// syncList reads what is due of a list.
func (r *run) syncList(ctx context.Context, list streams.List, result *Result) error {
	now, err := r.readClock(ctx, list)
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
	err = r.storing(ctx, list.Name(), func() error { return r.readList(ctx, list, now, before, result) })
	if err != nil {
		return err
	}
	result.Complete = true
	return r.verifyIfDue(ctx, list, now, result)
}

// readList reads what the ledger lacks, and the lookback.
func (r *run) readList(ctx context.Context, list streams.List, now time.Time, before checkpoints.Set, result *Result) error {
	jobs, err := r.planList(ctx, list, now)
	if err != nil {
		return err
	}
	result.span(jobs)
	r.observe(Event{Kind: Planned, Stream: list.Name(), Message: describe(jobs)})
	b := r.openBatches(ctx, list.Table(), result)
	b.rows.DropBefore(r.kept(list.Name()))
	defer b.release()
	walks := r.source.Walk(jobs)
	err = r.drain(ctx, walks, jobs, b)
	if err = b.finish(ctx, err); err != nil {
		return err
	}
	if r.options.Repair == nil { // what a repair restores was not late
		if err := r.warehouse.RecordLateness(ctx, r.options.RunID, list.Table(), r.summary.StartedAt, before); err != nil {
			return err
		}
	}
	return missing(walks, jobs)
}

// coveredBefore is what had been read of every query of the list before the run.
func (r *run) coveredBefore(ctx context.Context, list streams.List) (before checkpoints.Set, err error) {
	for i, query := range list.Queries(r.options.Privacy) {
		covered, err := r.warehouse.Coverage(ctx, streams.KeyOf(r.options.Privacy, query), checkpoints.Covered)
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

// served notes whether the source has the stream. One that it does not have is
// complete as it is.
func (r *Result) served(now time.Time) bool {
	r.Served = !now.IsZero()
	r.Complete = !r.Served
	return r.Served
}

// planList turns what is due into jobs, the newest first.
func (r *run) planList(ctx context.Context, list streams.List, now time.Time) ([]extract.Job, error) {
	kept := r.kept(list.Name())
	if !r.options.From.IsZero() && r.options.From.Before(kept) {
		r.warn(list.Name(), "read from "+kept.Format(time.RFC3339)+" on: what is older has expired, and is not read again")
	}
	var jobs []extract.Job
	for _, query := range list.Queries(r.options.Privacy) {
		if r.options.Repair != nil {
			_, due := r.options.Repair.Lists[streams.KeyOf(r.options.Privacy, query)].Split(kept)
			for _, interval := range slices.Backward(due) {
				jobs = append(jobs, extract.Job{Query: query, Interval: interval, Sparing: true})
			}
			continue
		}
		covered, err := r.warehouse.Coverage(ctx, streams.KeyOf(r.options.Privacy, query), checkpoints.Covered)
		if err != nil {
			return nil, err
		}
		end := now.UTC().Truncate(time.Second)
		for _, interval := range slices.Backward(r.due(list, covered, end)) {
			jobs = append(jobs, extract.Job{
				Query: query, Interval: interval, Open: !interval.To.Before(end), Sparing: mostlyCovered(interval, covered),
			})
		}
	}
	return jobs, nil
}

// mostlyCovered reports whether an interval is read again rather than for the
// first time.
func mostlyCovered(i checkpoints.Interval, covered checkpoints.Set) bool {
	return 2*checkpoints.Of(i).Intersect(covered).Duration() > i.Duration()
}

// due is what the plan, or the requested range, makes of the coverage.
func (r *run) due(list streams.List, covered checkpoints.Set, now time.Time) checkpoints.Set {
	wanted := checkpoints.Interval{From: list.Start, To: now}
	if !r.options.To.IsZero() && r.options.To.Before(now) {
		wanted.To = r.options.To
	}
	if !r.options.From.IsZero() {
		wanted.From = r.options.From
		covered = nil
	}
	return checkpoints.Plan{Wanted: wanted, Lookback: list.Lookback, Kept: r.kept(list.Name())}.Due(covered)
}

// drain moves pages into batches and commits them.
func (r *run) drain(ctx context.Context, walks *extract.Walks, jobs []extract.Job, b *batches) error {
	before := r.source.Requests()
	for page, err := range walks.Pages(ctx) {
		if err != nil {
			return err
		}
		b.repeated(page.Repeated)
		for _, record := range page.Records {
			if err := b.add(ctx, func() transform.Outcome { return b.rows.Add(record) }); err != nil {
				return err
			}
		}
		b.cover(streams.KeyOf(r.options.Privacy, jobs[page.Job].Query), checkpoints.Covered, checkpoints.Of(page.Covered...))
		if err := b.commitIfDue(ctx); err != nil {
			return err
		}
		r.observe(Event{
			Kind: Progressed, Stream: b.stream, Rows: b.result.Received,
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
		lines = append(lines, fmt.Sprintf("policy %s: %v", jobs[job].Query.Policy(), err))
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

// span sets the watermarks: from the earliest to the latest instant that is due.
func (r *Result) span(jobs []extract.Job) {
	for _, job := range jobs {
		r.widen(job.Interval)
	}
}

// widen extends the watermarks to an interval.
func (r *Result) widen(i checkpoints.Interval) {
	if i.Empty() {
		return
	}
	if r.From == nil || i.From.Before(*r.From) {
		r.From = &i.From
	}
	if r.To == nil || i.To.After(*r.To) {
		r.To = &i.To
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
