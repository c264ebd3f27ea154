package audit

import (
	"context"
	"slices"
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
// include a few of the neighbours'.
const trustedRows = 10_000

// source gives the source's rows of a stream.
type source interface {
	// Count is how many rows the source has in the interval. Rows within its
	// resolution of the ends may be counted or not.
	Count(ctx context.Context, i checkpoints.Interval) (int, error)
	// Compare reads the interval and compares it with what is stored. It may narrow
	// the finding's range to what differs.
	Compare(ctx context.Context, i checkpoints.Interval) (Finding, error)
}

// stored gives the stored rows of the stream.
type stored interface {
	Count(ctx context.Context, i checkpoints.Interval) (int64, error)
	// Middle is the time of the middle row; zero if there is none.
	Middle(ctx context.Context, i checkpoints.Interval) (time.Time, error)
	// Quiet is an instant at or after `at`, within the interval, near which no
	// row is stored; ok is false if there is none.
	Quiet(ctx context.Context, i checkpoints.Interval, at time.Time) (quiet time.Time, ok bool, err error)
}

// Totals compares a stream's totals with what is stored.
type Totals struct {
	Source  source
	Stored  stored
	Workers int
	// Step is the start of the next range after an instant: the next midnight.
	Step func(time.Time) time.Time
	// Full reads every range, whatever its total.
	Full bool
	// MustRead, if not nil, says which ranges are read whatever their total.
	MustRead func(checkpoints.Interval) bool
	// Observe, if not nil, gets how many of the ranges are done.
	Observe func(done, all int)
}

// NextDay is the midnight (UTC) after an instant.
func NextDay(t time.Time) time.Time { return t.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1) }

// NextMonth is the start of the month (UTC) after the one of an instant.
func NextMonth(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// Verify compares parts of the stream and fills in what it found.
func (t *Totals) Verify(ctx context.Context, s *Stream, parts checkpoints.Set) error {
	span, _ := parts.Extent()
	s.From, s.To = span.From, span.To
	var ranges []checkpoints.Interval
	for _, part := range parts {
		steps, err := t.split(ctx, part)
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
	group.SetLimit(max(1, t.Workers))
	for i, r := range ranges {
		group.Go(func() (err error) {
			defer crash.Exit()
			s.Days[i], findings[i], err = t.day(working, r)
			mu.Lock()
			defer mu.Unlock()
			if done++; t.Observe != nil {
				t.Observe(done, len(ranges))
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
		s.Findings = append(s.Findings, findings[i]...)
	}
	s.Close()
	return nil
}

// split divides the range into steps whose ends are quiet.
func (t *Totals) split(ctx context.Context, whole checkpoints.Interval) (ranges []checkpoints.Interval, err error) {
	from := whole.From
	for at := t.Step(from); at.Before(whole.To); at = t.Step(at) {
		rest := checkpoints.Interval{From: from, To: whole.To}
		end, ok, err := t.Stored.Quiet(ctx, rest, at)
		if err != nil {
			return nil, err
		}
		if ok && end.Before(t.Step(at)) {
			ranges = append(ranges, checkpoints.Interval{From: from, To: end})
			from = end
		}
	}
	if from.Before(whole.To) {
		ranges = append(ranges, checkpoints.Interval{From: from, To: whole.To})
	}
	return ranges, nil
}

func (t *Totals) day(ctx context.Context, i checkpoints.Interval) (Day, []Finding, error) {
	total, count, err := t.count(ctx, i)
	if err != nil {
		return Day{}, nil, err
	}
	day := Day{From: i.From, To: i.To, Source: total, Stored: count, Status: Match}
	var findings []Finding
	switch {
	case total+count > 0 && (t.Full || (t.MustRead != nil && t.MustRead(i))):
		findings, err = t.read(ctx, i)
	case total != count:
		findings, err = t.examine(ctx, i, total, count)
	}
	if err != nil {
		return Day{}, nil, err
	}
	if len(findings) > 0 {
		day.Status = worstOf(findings)
	}
	return day, findings, nil
}

// worstOf is the status of all the findings together.
func worstOf(findings []Finding) Status {
	var sum Finding
	for _, f := range findings {
		sum.Missing += f.Missing
		sum.Extra += f.Extra
		sum.Differs += f.Differs
		sum.Unproven += f.Unproven
	}
	return sum.Status()
}

func (t *Totals) count(ctx context.Context, i checkpoints.Interval) (total, count int64, err error) {
	count, err = t.Stored.Count(ctx, i)
	if err != nil {
		return 0, 0, err
	}
	n, err := t.Source.Count(ctx, i)
	return int64(n), count, err
}

// examine finds where a range differs whose totals do.
func (t *Totals) examine(ctx context.Context, i checkpoints.Interval, total, count int64) ([]Finding, error) {
	switch {
	case total == count:
		return nil, nil
	case count == 0 && total > trustedRows:
		return []Finding{{From: i.From, To: i.To, Missing: total}}, nil
	case count == 0 || total <= pageRows:
		return t.read(ctx, i)
	}
	at, ok, err := t.halve(ctx, i)
	if err != nil {
		return nil, err
	}
	if !ok {
		return t.read(ctx, i)
	}
	var findings []Finding
	for _, half := range []checkpoints.Interval{{From: i.From, To: at}, {From: at, To: i.To}} {
		total, count, err := t.count(ctx, half)
		if err != nil {
			return nil, err
		}
		found, err := t.examine(ctx, half, total, count)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// halve finds a quiet instant that divides the rows of a range. ok is false if
// there is none: many rows share an instant.
func (t *Totals) halve(ctx context.Context, i checkpoints.Interval) (at time.Time, ok bool, err error) {
	middle, err := t.Stored.Middle(ctx, i)
	if err != nil {
		return middle, false, err
	}
	if middle.IsZero() {
		middle = i.From.Add(i.Duration() / 2)
	}
	for _, guess := range []time.Time{middle, i.From.Add(i.Duration() / 2), i.From.Add(i.Duration() / 4)} {
		at, ok, err = t.Stored.Quiet(ctx, i, guess)
		if err != nil || (ok && at.After(i.From) && at.Before(i.To)) {
			return at, ok, err
		}
	}
	return middle, false, nil
}

func (t *Totals) read(ctx context.Context, i checkpoints.Interval) ([]Finding, error) {
	found, err := t.Source.Compare(ctx, i)
	if err != nil || found.Status() == Match {
		return nil, err
	}
	if found.From.IsZero() {
		found.From, found.To = i.From, i.To
	}
	slices.Sort(found.Samples)
	return []Finding{found}, nil
}
