package pipeline

import (
	"cmp"
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/verify"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// mend is what a run reads and publishes again, instead of what is due.
type mend struct {
	lists      map[checkpoints.Key]checkpoints.Set
	stats      map[string]time.Time // by the series' filter: since when
	partitions map[*schema.Table][]time.Time
	snapshot   bool
}

func (m *mend) empty() bool {
	return len(m.lists)+len(m.stats)+len(m.partitions) == 0 && !m.snapshot
}

// Repaired is what a repair found, did and left.
type Repaired struct {
	Rebuilt *load.Rebuilt  `json:"rebuilt,omitempty"` // of a rebuild only
	Found   *verify.Report `json:"found,omitempty"`   // before
	Summary *Summary       `json:"run,omitempty"`     // that mended it; nil if there was nothing to mend
	Left    *verify.Report `json:"left,omitempty"`    // of what was mended, read again; nil without a run
}

// Repair looks for differences, reads again just the intervals that differ,
// publishes again the files that differ, and verifies what it mended.
//
// To ask little where little is wrong it looks closely at the days whose files
// and warehouse disagree, and month by month elsewhere; only if that finds
// nothing does it look at every day.
func Repair(ctx context.Context, options Options, from source) (done Repaired, err error) {
	done.Found, err = verified(ctx, options, from, nil, func(ctx context.Context, v *verification) error {
		if err := v.files(ctx); err != nil {
			return err
		}
		v.step = v.byMonth
		err := v.lists(ctx)
		if planMend(v.report).empty() {
			v.report.Streams, v.step = nil, func(*schema.Table) func(time.Time) time.Time { return verify.NextDay }
			err = v.lists(ctx)
		}
		return graver(err, v.stats(ctx))
	})
	if err != nil {
		// Nothing is published while a stream could not be verified: what was
		// published before may be better than what the warehouse holds.
		return done, err
	}
	return mendFound(ctx, options, from, done)
}

// mendFound reads again what a verification found, and then just that once more.
func mendFound(ctx context.Context, options Options, from source, done Repaired) (Repaired, error) {
	plan := planMend(done.Found)
	if plan.empty() {
		return done, nil
	}
	var err error
	if done.Summary, err = Run(ctx, options.narrowed(plan), from); err != nil {
		return done, err
	}
	again := options
	again.Full, again.Stats = true, nil
	if len(plan.stats) > 0 {
		again.Stats = options.Stats
	}
	done.Left, err = verified(ctx, again, from, plan.lists, func(ctx context.Context, v *verification) error {
		return cmp.Or(v.files(ctx), graver(v.lists(ctx), v.stats(ctx)))
	})
	return done, err
}

// narrowed are the options of a run that mends, and asks nothing else.
func (o *Options) narrowed(plan *mend) Options {
	narrow := *o
	narrow.mend, narrow.Lists = plan, nil
	for _, list := range o.Lists {
		for _, query := range list.Queries() {
			if len(plan.lists[keyOf(query)]) > 0 {
				narrow.Lists = append(narrow.Lists, list)
				break
			}
		}
	}
	if len(plan.stats) == 0 {
		narrow.Stats = nil
	}
	return narrow
}

// planMend is what a report asks to be mended. Rows that are only held are kept.
func planMend(r *verify.Report) *mend {
	m := &mend{lists: map[checkpoints.Key]checkpoints.Set{}, stats: map[string]time.Time{}, partitions: map[*schema.Table][]time.Time{}}
	for _, s := range r.Streams {
		repairable := s.Repairable()
		switch {
		case len(repairable) == 0:
		case s.Stream == PolicyStats:
			m.stats[s.Filter] = repairable[0].From
		default:
			m.lists[checkpoints.Key{Stream: s.Stream, Filter: s.Filter}] = repairable
		}
	}
	tables := map[string]*schema.Table{}
	for _, f := range r.Files {
		if f.Status == verify.Match {
			continue
		}
		m.snapshot = true // it is written again whenever anything is
		table, start, ok := lake.PartitionOf(trimLake(f.Path))
		if f.Path == snapshot.Name || !ok {
			continue
		}
		if tables[table.Name] == nil {
			tables[table.Name] = table
		}
		table = tables[table.Name]
		m.partitions[table] = append(m.partitions[table], start)
	}
	return m
}

// byMonth steps over months, and over the days where the warehouse is not what
// was published.
func (v *verification) byMonth(table *schema.Table) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		next, end := verify.NextDay(t), verify.NextMonth(t)
		suspects := v.suspects[table.Name]
		for today := next.AddDate(0, 0, -1); next.Before(end) && !suspects.Contains(today) && !suspects.Contains(next); {
			today, next = next, verify.NextDay(next)
		}
		return next
	}
}
