package run

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/extract/api"
)

// dryRun plans every stream and requests how many rows are due, and
// writes nothing.
func (r *run) dryRun(ctx context.Context) error {
	for _, list := range r.options.Lists {
		if err := r.stream(ctx, list.Name(), func(result *Result) error { return r.dryList(ctx, list, result) }); err != nil {
			return err
		}
	}
	if r.options.Stats == nil {
		return nil
	}
	return r.stream(ctx, r.options.Stats.Stream.Name, func(result *Result) error {
		all, err := planStats(ctx, r.warehouse, *r.options.Stats)
		if err == nil {
			r.observe(Event{Kind: Planned, Stream: r.options.Stats.Stream.Name, Message: fmt.Sprintf("%d series, %d requests", len(all), len(all))})
			result.Complete = true
		}
		return err
	})
}

func (r *run) dryList(ctx context.Context, list List, result *Result) error {
	now, err := r.readClock(ctx, list)
	if err != nil || !result.served(now) {
		return err
	}
	jobs, err := r.planList(ctx, list, now)
	if err != nil {
		return err
	}
	result.span(jobs)
	rows := 0
	for _, job := range jobs {
		count, err := r.source.Count(ctx, job.Query, job.Interval)
		if err != nil {
			return err
		}
		rows += count
	}
	result.Complete = true
	requests := (rows + api.MaxTake - 1) / api.MaxTake
	r.observe(Event{Kind: Planned, Stream: list.Name(), Message: fmt.Sprintf("%s: %s rows in about %s requests",
		describe(jobs), humanize.Comma(int64(rows)), humanize.Comma(int64(requests)))})
	return nil
}
