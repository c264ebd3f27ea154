package audit

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
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
}

// verify compares parts of the stream, as the totals' Step and Full say.
func (c comparison) verify(ctx context.Context, s *Stream, parts checkpoints.Set, totals Totals) error {
	resolution, err := c.source.Resolution(ctx, c.query)
	if err != nil {
		return err
	}
	totals.Source, totals.Stored, totals.Workers = sourceSide{c}, storedSide{c, resolution}, c.source.Concurrency()
	if resolution >= day { // a total of whole days cannot be compared with anything
		totals.Full = true
	}
	return totals.Verify(ctx, s, parts)
}

const day = 24 * time.Hour

// sourceSide is the source's side of a comparison.
type sourceSide struct{ comparison }

// Count requests a total.
func (s sourceSide) Count(ctx context.Context, i checkpoints.Interval) (int, error) {
	return s.source.Count(ctx, s.query, i)
}

// Compare reads the interval and compares it, row by row.
func (s sourceSide) Compare(ctx context.Context, i checkpoints.Interval) (Finding, error) {
	walks := s.source.Walk([]extract.Job{{Query: s.query, Interval: i}})
	read := &typed{batch: transform.NewBatch(s.table, memory.DefaultAllocator)}
	defer read.release()
	for page, err := range walks.Pages(ctx) {
		if err != nil {
			return Finding{}, err
		}
		for _, record := range page.Records {
			read.add(record)
		}
	}
	for _, err := range walks.NotFound() {
		return Finding{}, err // what the source does not know has no rows to compare
	}
	read.flush()
	found, err := s.stored.Compare(ctx, run.Stored(s.table, s.query, i), read.rows, read.rejects)
	finding := Finding{Missing: found.Missing, Extra: found.Extra, Differs: found.Differs, Samples: found.Samples}
	for _, short := range walks.Shortfalls() {
		finding.Unproven += int64(short.Missing)
	}
	if finding.Unproven == 0 && len(read.rejects) == 0 {
		finding.From, finding.To = found.Oldest.Truncate(time.Millisecond), found.Newest.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	return finding, err
}

// typed collects the records of a range as typed rows.
type typed struct {
	batch   *transform.Batch
	built   []*transform.Built
	rows    []load.Rows
	rejects []schema.Reject
}

func (t *typed) add(record []byte) {
	if t.batch.Add(record) == transform.Conflict {
		t.flush()
		t.batch.Add(record)
	}
}

func (t *typed) flush() {
	built := t.batch.Build()
	t.built = append(t.built, built)
	t.rows = append(t.rows, rowsOf(built)...)
	t.rejects = append(t.rejects, built.Rejects...)
}

func (t *typed) release() {
	t.batch.Release()
	for _, built := range t.built {
		built.Release()
	}
}

// storedSide is the other side: the stored rows that the query matches.
type storedSide struct {
	comparison
	resolution time.Duration
}

// Count is how many rows of the interval are stored.
func (s storedSide) Count(ctx context.Context, i checkpoints.Interval) (int64, error) {
	return s.stored.Count(ctx, run.Stored(s.table, s.query, i))
}

// Middle is the time of the middle one.
func (s storedSide) Middle(ctx context.Context, i checkpoints.Interval) (time.Time, error) {
	return s.stored.Middle(ctx, run.Stored(s.table, s.query, i))
}

// Quiet is an instant near which none is stored, as the source resolves time.
func (s storedSide) Quiet(ctx context.Context, i checkpoints.Interval, at time.Time) (time.Time, bool, error) {
	if whole := at.Truncate(s.resolution); whole.Before(at) {
		at = whole.Add(s.resolution)
	}
	return s.stored.Quiet(ctx, run.Stored(s.table, s.query, i), at, s.resolution)
}
