package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/rebuild"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Repaired is what a repair found, did and left.
type Repaired struct {
	Rebuilt *rebuild.Rebuilt `json:"rebuilt,omitempty"` // of a rebuild only
	Found   *Report          `json:"found,omitempty"`   // before
	Summary *run.Summary     `json:"run,omitempty"`     // that repaired it; nil if there was nothing to repair
	Left    *Report          `json:"left,omitempty"`    // of what was repaired, read again; nil without a run
}

// errUnfinished says that a forget was interrupted.
var errUnfinished = errors.New("a forget was interrupted")

// Repair looks for differences, reads again just the intervals that differ,
// publishes again the files that differ, and verifies what it repaired. It first completes
// a forget that was interrupted.
//
// To request little where little is wrong it looks closely at the days whose files
// and warehouse disagree, and month by month elsewhere; only if that finds
// nothing does it look at every day.
func Repair(ctx context.Context, options run.Options, from run.Source) (done Repaired, err error) {
	done, err = repair(ctx, options, from)
	if errors.Is(err, errUnfinished) {
		if err := run.FinishForgetting(ctx, options); err != nil {
			return Repaired{}, err
		}
		return repair(ctx, options, from)
	}
	return done, err
}

func repair(ctx context.Context, options run.Options, from run.Source) (done Repaired, err error) {
	done.Found, err = verified(ctx, options, from, nil, func(ctx context.Context, v *verification) error {
		if v.unfinished {
			return errUnfinished
		}
		if err := v.files(ctx); err != nil {
			return err
		}
		v.monthly = true
		err := v.lists(ctx)
		if planRepair(v.report).Empty() {
			v.report.Streams, v.monthly = nil, false
			err = v.lists(ctx)
		}
		return worse(err, v.stats(ctx))
	})
	if err != nil {
		// Nothing is published while a stream could not be verified: what was
		// published before may be better than what is in the warehouse.
		return done, err
	}
	return repairFound(ctx, options, from, done)
}

// repairFound reads again what a verification found, and then just that once more.
func repairFound(ctx context.Context, options run.Options, from run.Source, done Repaired) (Repaired, error) {
	plan := planRepair(done.Found)
	if plan.Empty() {
		return done, nil
	}
	var err error
	if done.Summary, err = run.Run(ctx, narrowed(&options, plan), from); err != nil {
		return done, err
	}
	again := options
	again.Full, again.Stats = true, nil
	if len(plan.Series) > 0 {
		again.Stats = options.Stats
	}
	done.Left, err = verified(ctx, again, from, plan.Lists, func(ctx context.Context, v *verification) error {
		return cmp.Or(v.files(ctx), worse(v.lists(ctx), v.stats(ctx)))
	})
	return done, err
}

// narrowed are the options of a run that repairs, and requests nothing else.
func narrowed(o *run.Options, plan *run.Repair) run.Options {
	narrow := *o
	narrow.Repair = plan
	planned := func(query api.Query) bool { return len(plan.Lists[streams.KeyOf(o.Privacy, query)]) > 0 }
	narrow.Lists = slices.DeleteFunc(slices.Clone(o.Lists), func(list streams.List) bool { return !slices.ContainsFunc(list.Queries(o.Privacy), planned) })
	if len(plan.Series) == 0 {
		narrow.Stats = nil
	}
	return narrow
}

// planRepair is what a repair of a report reads and publishes. Rows that are only stored are kept.
func planRepair(r *Report) *run.Repair {
	m := &run.Repair{Lists: map[checkpoints.Key]checkpoints.Set{}, Series: map[string]time.Time{}, Partitions: map[*schema.Table][]time.Time{}}
	for _, s := range r.Streams {
		repairable := s.Repairable()
		switch {
		case len(repairable) == 0:
		case schema.IsSeries(s.Stream):
			m.Series[s.Filter] = repairable[0].From
		default:
			m.Lists[checkpoints.Key{Stream: s.Stream, Filter: s.Filter}] = repairable
		}
	}
	for _, f := range r.Altered() {
		m.Snapshot = true // it is written again whenever anything is
		table, start, ok := lake.PartitionOf(strings.TrimPrefix(f.Path, "lake/"))
		if f.Path == snapshot.Name || !ok {
			continue
		}
		m.Partitions[table] = append(m.Partitions[table], start)
	}
	return m
}

// step gives the midnight after an instant or, by month, the end of the month; days where the
// warehouse is not what was published stay days.
func (v *verification) step(table *schema.Table) func(time.Time) time.Time {
	if !v.monthly {
		return NextDay
	}
	mismatched := v.mismatched[table.Name]
	return func(t time.Time) time.Time {
		next, end := NextDay(t), NextMonth(t)
		for today := next.AddDate(0, 0, -1); next.Before(end) && !mismatched.Contains(today) && !mismatched.Contains(next); {
			today, next = next, NextDay(next)
		}
		return next
	}
}
