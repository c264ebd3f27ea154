package audit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// pageRows is how many rows one request reads: a range with no more is
// read rather than split.
const pageRows = 100

// trustedRows is how many rows are taken to be missing by their total alone where
// nothing is stored: reading them would cost as much as fetching them. The total may
// include a few of the neighbours'. They are read where they may be withheld.
const trustedRows = 10_000

// NextDay is the midnight (UTC) after an instant.
func NextDay(t time.Time) time.Time { return t.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1) }

// NextMonth is the start of the month (UTC) after the one of an instant.
func NextMonth(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// verify compares parts of the stream and fills in what it found.
func (c *comparison) verify(ctx context.Context, s *Stream, parts checkpoints.Set) (err error) {
	if c.resolution, err = c.source.Resolution(ctx, c.query); err != nil {
		return err
	}
	if c.resolution >= day { // a total of whole days cannot be compared with anything
		c.full = true
	}
	span, _ := parts.Extent()
	s.From, s.To = span.From, span.To
	var ranges []checkpoints.Interval
	for _, part := range parts {
		steps, err := c.split(ctx, part)
		if err != nil {
			return err
		}
		ranges = append(ranges, steps...)
	}
	s.Days = make([]Day, len(ranges))
	findings := make([][]Finding, len(ranges))
	var mu sync.Mutex
	done := 0
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(max(1, c.source.Concurrency()))
	for i, r := range ranges {
		group.Go(func() (err error) {
			defer crash.Exit()
			s.Days[i], findings[i], err = c.day(working, r)
			mu.Lock()
			defer mu.Unlock()
			if done++; c.observe != nil {
				c.observe(done, len(ranges))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, day := range s.Days {
		s.Source += day.Source
		s.Stored += day.Stored
		s.Withheld += day.Withheld
		s.Findings = append(s.Findings, findings[i]...)
	}
	s.Close()
	return nil
}

// split divides the range into steps whose ends are quiet.
func (c *comparison) split(ctx context.Context, whole checkpoints.Interval) (ranges []checkpoints.Interval, err error) {
	from := whole.From
	for at := c.step(from); at.Before(whole.To); at = c.step(at) {
		rest := checkpoints.Interval{From: from, To: whole.To}
		end, ok, err := c.quiet(ctx, rest, at)
		if err != nil {
			return nil, err
		}
		if ok && end.Before(c.step(at)) {
			ranges = append(ranges, checkpoints.Interval{From: from, To: end})
			from = end
		}
	}
	if from.Before(whole.To) {
		ranges = append(ranges, checkpoints.Interval{From: from, To: whole.To})
	}
	return ranges, nil
}

func (c *comparison) day(ctx context.Context, i checkpoints.Interval) (Day, []Finding, error) {
	total, count, err := c.count(ctx, i)
	if err != nil {
		return Day{}, nil, err
	}
	day := Day{From: i.From, To: i.To, Source: total, Stored: count}
	var read []Finding
	switch {
	case total+count > 0 && (c.full || (c.mustRead != nil && c.mustRead(i))):
		read, err = c.read(ctx, i)
	case total != count:
		read, err = c.examine(ctx, i, total, count)
	}
	if err != nil {
		return Day{}, nil, err
	}
	var sum Counts
	var findings []Finding
	for _, f := range read {
		sum.Add(f.Counts)
		day.Withheld += f.withheld
		if f.Worst() != Match {
			findings = append(findings, f)
		}
	}
	day.Status = sum.Worst()
	return day, findings, nil
}

func (c *comparison) count(ctx context.Context, i checkpoints.Interval) (total, count int64, err error) {
	count, err = c.stored.Count(ctx, c.within(i))
	if err != nil {
		return 0, 0, err
	}
	n, err := c.source.Count(ctx, c.query, i)
	return int64(n), count, err
}

// examine finds where a range differs whose totals do.
func (c *comparison) examine(ctx context.Context, i checkpoints.Interval, total, count int64) ([]Finding, error) {
	switch {
	case total == count:
		return nil, nil
	case count == 0 && total > trustedRows && !c.privacy.Withholds():
		return []Finding{{From: i.From, To: i.To, Counts: Counts{Missing: total}}}, nil
	case count == 0 || total <= pageRows:
		return c.read(ctx, i)
	}
	at, ok, err := c.halve(ctx, i)
	if err != nil {
		return nil, err
	}
	if !ok {
		return c.read(ctx, i)
	}
	var findings []Finding
	for _, half := range []checkpoints.Interval{{From: i.From, To: at}, {From: at, To: i.To}} {
		total, count, err := c.count(ctx, half)
		if err != nil {
			return nil, err
		}
		found, err := c.examine(ctx, half, total, count)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// halve finds a quiet instant that divides the rows of a range. ok is false if
// there is none: many rows share an instant.
func (c *comparison) halve(ctx context.Context, i checkpoints.Interval) (at time.Time, ok bool, err error) {
	middle, err := c.stored.Middle(ctx, c.within(i))
	if err != nil {
		return middle, false, err
	}
	if middle.IsZero() {
		middle = i.From.Add(i.Duration() / 2)
	}
	for _, guess := range []time.Time{middle, i.From.Add(i.Duration() / 2), i.From.Add(i.Duration() / 4)} {
		at, ok, err = c.quiet(ctx, i, guess)
		if err != nil || (ok && at.After(i.From) && at.Before(i.To)) {
			return at, ok, err
		}
	}
	return middle, false, nil
}
