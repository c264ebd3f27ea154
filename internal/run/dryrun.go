package run

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/streams"
)

// dryStats plans the series, each of which takes one request or more.
func (r *run) dryStats(ctx context.Context, stats streams.Stats, result *Result) error {
	all, err := r.planStats(ctx, stats)
	if err != nil {
		return err
	}
	r.observe(Event{Kind: Planned, Stream: stats.Stream.Name, Message: fmt.Sprintf("%d series, %d requests", len(all), len(all))})
	result.Complete = true
	return nil
}

// dryList plans a list and requests how many rows are due.
func (r *run) dryList(ctx context.Context, list streams.List, result *Result) error {
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
