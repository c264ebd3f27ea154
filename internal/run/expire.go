package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// CountBefore counts the rows that are dated before an instant, by table, and the rejects that
// came before it. It changes nothing.
func CountBefore(ctx context.Context, options Options, at time.Time) (rows map[string]int64, err error) {
	w, err := load.OpenReadOnly(ctx, load.Options{Dir: options.DataDir, Version: options.Version, Now: options.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	rows = map[string]int64{}
	tables := []*schema.Table{schema.ByName(schema.RejectedRecords().Name)}
	for _, s := range schema.Streams() {
		tables = append(tables, s.Tables()...)
	}
	for _, t := range tables {
		if rows[t.Name], err = w.CountBefore(ctx, t, at); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// EraseBefore drops the rows of all streams that are dated before a UTC day, once and in the
// same way as Options.Keep does: for good, and never to be read again. It requests nothing of
// the source. It returns what is left of them, by table: an erasure.ErrLeft if that is
// anything.
func EraseBefore(ctx context.Context, options Options, day time.Time) (left map[string]int64, err error) {
	options.expire = day.UTC().Truncate(24 * time.Hour)
	if _, err := Run(ctx, options, Source{}); err != nil {
		return nil, err
	}
	left, err = CountBefore(ctx, options, options.expire)
	for table, n := range left {
		if n > 0 {
			return left, fmt.Errorf("%w: %d rows of %s", erasure.ErrLeft, n, table)
		}
	}
	return left, err
}

// readExpired reads what has expired, by the ledger.
func (r *run) readExpired(ctx context.Context) (err error) {
	r.expired = map[string]time.Time{}
	for _, stream := range schema.Streams() {
		if r.expired[stream.Name], err = r.warehouse.Expired(ctx, stream.Name); err != nil {
			return err
		}
	}
	return nil
}

// kept is where the rows of a stream begin that are kept: none before it is read, or stays.
// It is the start of a UTC day, or zero if all are kept. What has expired once stays so, even
// if rows are to be kept for longer now.
func (r *run) kept(stream string) time.Time {
	kept := r.expired[stream]
	for _, at := range []time.Time{r.options.expire, r.firstKept(stream)} {
		if at.After(kept) {
			kept = at
		}
	}
	return kept
}

// firstKept is by the earlier of our clock and the source's: history is not lost because
// one of them is wrong. As long as the source's is not known, nothing expires.
func (r *run) firstKept(stream string) time.Time {
	keep, now := r.options.Keep[stream], r.sourceTime()
	if keep == 0 || now.IsZero() {
		return time.Time{}
	}
	if own := r.options.Now(); own.Before(now) {
		now = own
	}
	return load.FirstKept(now, keep)
}

func (r *run) sourceTime() time.Time {
	if r.source.Client == nil {
		return time.Time{}
	}
	return r.source.Time()
}

// expire drops what is older than it is kept, before anything is published.
func (r *run) expire(ctx context.Context) error {
	if len(r.options.Keep) > 0 && r.options.expire.IsZero() && r.sourceTime().IsZero() {
		r.warn("", "nothing expires in this run: the source's clock is not known, and our own alone is not relied on")
	}
	starts, err := r.starts(ctx)
	if err != nil {
		return err
	}
	var all []load.Expiry
	for _, stream := range schema.Streams() {
		if kept := r.kept(stream.Name); !kept.IsZero() {
			all = append(all, load.Expiry{Stream: stream, Before: kept, Starts: starts})
		}
	}
	removed, err := r.warehouse.Expire(ctx, r.options.RunID, all, !r.options.expire.IsZero())
	if err != nil {
		return err
	}
	for _, e := range all {
		if n := removed[e.Stream.Table.Name]; n > 0 {
			r.changed = true
			r.dropped = append(r.dropped, fmt.Sprintf("%s of %s before %s", english.Plural(int(n), "row", ""), e.Stream.Name, e.Before.Format(time.DateOnly)))
		}
	}
	return nil
}

// starts are the queries of lists, and where their history begins. That of statistics begins
// where the ledger does: only the source knows how far back they reach.
func (r *run) starts(ctx context.Context) (map[checkpoints.Key]time.Time, error) {
	starts := map[checkpoints.Key]time.Time{}
	queries, err := r.queries(ctx)
	for _, q := range queries {
		if !q.Start.IsZero() {
			starts[q.Key] = q.Start
		}
	}
	return starts, err
}

// describeDropped says what has expired in this run; "" if nothing has.
func (r *run) describeDropped() string {
	if len(r.dropped) == 0 {
		return ""
	}
	return "; expired and removed: " + strings.Join(r.dropped, ", ")
}

// retain removes records of our own that are older than they are to be kept. Rejects
// leave the published file in the same run; old runs leave it when it is written next.
func (r *run) retain(ctx context.Context) error {
	keep, now := load.Keep{Runs: r.options.KeepRuns, Rejects: r.options.KeepRejects}, r.earliestNow()
	if before := r.options.expire; !before.IsZero() { // rejects have no time of their own but when they came
		if age := now.Sub(before); keep.Rejects == 0 || age < keep.Rejects {
			keep.Rejects = age
		}
	}
	removed, err := r.warehouse.Retain(ctx, keep, now)
	for _, stream := range slices.Sorted(maps.Keys(removed)) {
		r.changed = true
		r.warn(stream, fmt.Sprintf("%s older than retention.rejects removed from rejected_records", english.Plural(int(removed[stream]), "record", "")))
	}
	return err
}

// earliestNow is the earlier of our clock and the source's: one that is far ahead
// removes nothing.
func (r *run) earliestNow() time.Time {
	own := r.options.Now().UTC()
	if r.clock.IsZero() || r.clock.After(own) {
		return own
	}
	return r.clock
}
