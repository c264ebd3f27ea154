package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/dustin/go-humanize/english"
	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/transform"
)

// reading is a series and what was read of it.
type reading struct {
	series streams.Series
	since  time.Time // the first instant that is wanted
	first  bool      // nothing of it is stored yet
	window checkpoints.Window
	answer *api.StatsAnswer
	err    error
}

// request describes what was requested.
func (r reading) request(now time.Time) transform.Series {
	return r.series.Request(r.window, r.answer, now)
}

// syncStats reads every series of the statistics.
func (r *run) syncStats(ctx context.Context, stats streams.Stats, result *Result) error {
	err := r.storing(ctx, stats.Stream.Name, func() error { return r.readStats(ctx, stats, result) })
	result.Complete = err == nil
	return err
}

func (r *run) readStats(ctx context.Context, stats streams.Stats, result *Result) error {
	all, err := r.planStats(ctx, stats)
	if err != nil {
		return err
	}
	r.observe(Event{Kind: Planned, Stream: stats.Stream.Name, Message: fmt.Sprintf("%d series", len(all))})
	b := r.openBatches(ctx, stats.Stream.Table, result)
	b.summaries = transform.NewBatch(stats.Stream.Summary, r.options.Privacy, memory.DefaultAllocator)
	defer b.release()
	return b.finish(ctx, r.drainStats(ctx, stats.Stream.Name, all, b))
}

// planStats lists the series and since when each is due, which is not before what is kept. A
// repair reads some of them again.
func (r *run) planStats(ctx context.Context, stats streams.Stats) (all []reading, err error) {
	series, err := stats.Series(ctx, r.options.Privacy, r.warehouse)
	if err != nil {
		return nil, err
	}
	kept := r.kept(stats.Stream.Name)
	for _, s := range series {
		covered, err := r.warehouse.Coverage(ctx, s.Key(), checkpoints.Covered)
		if err != nil {
			return nil, err
		}
		read := reading{series: s, since: stats.Start, first: len(covered) == 0}
		if !read.first {
			read.since = covered[len(covered)-1].To
		}
		if read.since.Before(kept) {
			read.since = kept
		}
		if r.options.Repair != nil {
			since, damaged := r.options.Repair.Series[s.Key().Filter]
			if !damaged {
				continue
			}
			read.since = since
		}
		all = append(all, read)
	}
	return all, nil
}

// drainStats stores the series as they come. A series that the source refuses
// leaves the others alone; a source that does not answer ends the stream.
func (r *run) drainStats(ctx context.Context, stream string, all []reading, b *batches) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	before := r.source.Requests()
	var fatal, incomplete error
	var reach []time.Time
	var wanted time.Time
	for read := range r.readAll(ctx, all) {
		err := read.err
		if err == nil {
			if from := read.request(r.options.Now()).Range().From; read.first && from.After(read.since) {
				reach, wanted = append(reach, from), read.since
			}
			err = r.addSeries(ctx, read, b)
		}
		switch kind := api.KindOf(err); {
		case err == nil || fatal != nil || r.ignorable(read.series, err):
		case errors.Is(err, ErrIncomplete):
			incomplete = err
		case (kind == api.NotFound || kind == api.Refused) && len(all) > 1:
			incomplete = fmt.Errorf("%w: %s: %w", ErrIncomplete, read.series.Label(), err)
		default:
			fatal = err
			stop()
		}
		r.observe(Event{Kind: Progressed, Stream: stream, Rows: b.result.Received, Requests: r.source.Requests() - before})
	}
	r.warnOfReach(stream, reach, wanted)
	if fatal != nil {
		return fatal
	}
	return incomplete
}

// warnOfReach warns of series of which the source has less than is wanted when they are read
// for the first time; reach is how far it has each. Nothing of them is lost: the source never
// gave it.
func (r *run) warnOfReach(stream string, reach []time.Time, wanted time.Time) {
	if len(reach) > 0 {
		r.warn(stream, fmt.Sprintf("the source reaches back to %s only, not to %s, for %s that %s read for the first time",
			slices.MinFunc(reach, time.Time.Compare).Format(time.RFC3339), wanted.Format(time.RFC3339),
			english.Plural(len(reach), "series", "series"), english.PluralWord(len(reach), "is", "are")))
	}
}

// ignorable reports whether a failure is none: a repository that was found in the
// events and that the source no longer knows.
func (r *run) ignorable(s streams.Series, err error) bool {
	if !s.Found || api.KindOf(err) != api.NotFound {
		return false
	}
	r.warn(s.Stream.Name, fmt.Sprintf("repository %s has no statistics: %v", s.ID, err))
	return true
}

// readAll requests the series, several at once, and yields them as they come.
func (r *run) readAll(ctx context.Context, all []reading) <-chan reading {
	done := make(chan reading)
	go func() {
		defer crash.Exit()
		defer close(done)
		var group errgroup.Group
		group.SetLimit(max(1, r.source.Concurrency()))
		for _, read := range all {
			group.Go(func() error {
				defer crash.Exit()
				read.window, read.answer, read.err = read.series.ReadBack(ctx, r.source, r.now(), read.since)
				done <- read
				return nil
			})
		}
		_ = group.Wait() // each reading has its own error
	}()
	return done
}

// addSeries adds the points and the summary of an answer. It returns
// ErrIncomplete if buckets are lost: they were due after an earlier run, and have
// left the source's reach since.
func (r *run) addSeries(ctx context.Context, read reading, b *batches) error {
	request := read.request(r.options.Now())
	kept := r.kept(b.stream)
	b.rows.DropBefore(kept)
	for _, point := range read.answer.Series {
		err := b.add(ctx, func() transform.Outcome { _, _, outcome := b.rows.AddPoint(request, point); return outcome })
		if err != nil {
			return err
		}
	}
	if len(read.answer.Summary) > 0 {
		b.summaries.AddSummary(request, read.answer.Summary)
	}
	answered := request.Range()
	if answered.From.Before(kept) {
		answered.From = kept
	}
	b.result.widen(answered)
	b.cover(read.series.Key(), checkpoints.Covered, checkpoints.Of(answered))
	gap := checkpoints.Interval{From: read.since.Truncate(request.Length), To: answered.From}
	if gap.From.Before(kept) {
		gap.From = kept
	}
	lost := !gap.Empty() && !read.first // what lay beyond the source's reach at first is not lost
	if lost {
		b.cover(read.series.Key(), checkpoints.Lost, checkpoints.Of(gap))
	}
	if err := b.commitIfDue(ctx); err != nil || !lost {
		return err
	}
	return fmt.Errorf("%w: %s: the source no longer has the statistics of %s", ErrIncomplete, read.series.Label(), gap)
}
