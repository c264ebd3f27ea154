package audit

import (
	"context"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// comparison compares one query of a list with what is stored.
type comparison struct {
	source run.Source
	stored reader
	query  api.Query
	table  *schema.Table
	// privacy is what the stored rows obey.
	privacy *transform.Policy
	// step is the start of the next range after an instant: the next midnight.
	step func(time.Time) time.Time
	// full reads every range, whatever its total.
	full bool
	// mustRead, if not nil, says which ranges are read whatever their total.
	mustRead func(checkpoints.Interval) bool
	// observe, if not nil, gets how many of the ranges are done.
	observe func(done, all int)

	// kept is where the rows begin that have not expired. The source may have a row right
	// before, which its totals include where bounds are not exact.
	kept time.Time

	resolution time.Duration // of the source's bounds
}

const day = 24 * time.Hour

// within is the part of an interval's stored rows that the query matches.
func (c *comparison) within(i checkpoints.Interval) load.Range {
	return streams.Stored(c.privacy, c.query, i)
}

// quiet is an instant at or after `at`, within the interval, near which no row is stored,
// as the source resolves time; ok is false if there is none.
func (c *comparison) quiet(ctx context.Context, i checkpoints.Interval, at time.Time) (quiet time.Time, ok bool, err error) {
	if whole := at.Truncate(c.resolution); whole.Before(at) {
		at = whole.Add(c.resolution)
	}
	return c.stored.Quiet(ctx, c.within(i), at, c.resolution)
}

// read reads the interval and compares it, row by row. It narrows the finding's range to what
// differs, as far as that has a time. There is none if nothing differs, and nothing was withheld.
func (c *comparison) read(ctx context.Context, i checkpoints.Interval) ([]Finding, error) {
	walks := c.source.Walk([]extract.Job{{Query: c.query, Interval: i}})
	read := &typed{batch: transform.NewBatch(c.table, c.privacy, memory.DefaultAllocator)}
	read.batch.DropBefore(c.kept)
	defer read.release()
	for page, err := range walks.Pages(ctx) {
		if err != nil {
			return nil, err
		}
		for _, record := range page.Records {
			read.add(record)
		}
	}
	for _, err := range walks.NotFound() {
		return nil, err // what the source does not know has no rows to compare
	}
	read.flush()
	found, err := c.stored.Compare(ctx, c.within(i), read.rows, read.rejects)
	found.withheld = read.withheld
	for _, short := range walks.Shortfalls() {
		found.Unproven += int64(short.Missing)
	}
	if err != nil || found.Worst() == Match && found.withheld == 0 {
		return nil, err
	}
	if found.From.IsZero() || found.Unproven > 0 || len(read.rejects) > 0 {
		found.From, found.To = i.From, i.To
	} else {
		found.From, found.To = found.From.Truncate(time.Millisecond), found.To.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	slices.Sort(found.Samples)
	return []Finding{found}, nil
}

// typed collects the records of a range as typed rows.
type typed struct {
	batch   *transform.Batch
	built   []*transform.Built
	rows    []load.Rows
	rejects []schema.Reject

	withheld int64
}

func (t *typed) add(record []byte) {
	outcome := t.batch.Add(record)
	if outcome == transform.Conflict {
		t.flush()
		outcome = t.batch.Add(record)
	}
	if outcome == transform.Withheld {
		t.withheld++
	}
}

func (t *typed) flush() {
	built := t.batch.Build()
	t.built = append(t.built, built)
	t.rows = append(t.rows, run.RowsOf(built)...)
	t.rejects = append(t.rejects, built.Rejects...)
}

func (t *typed) release() {
	t.batch.Release()
	for _, built := range t.built {
		built.Release()
	}
}
