package audit

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// proof compares one question of a list with what is held.
type proof struct {
	source   run.Source
	holdings load.Holdings
	query    extract.Query
	table    *schema.Table
}

// verify compares parts of the stream, as the totals' Step and Full say.
func (p proof) verify(ctx context.Context, s *Stream, parts checkpoints.Set, totals Totals) error {
	grain, err := p.source.Grain(ctx, p.query)
	if err != nil {
		return err
	}
	totals.Source, totals.Held, totals.Workers = asked{p}, holding{p, grain}, p.source.Concurrency()
	if grain >= day { // a total of whole days cannot be compared with anything
		totals.Full = true
	}
	return totals.Verify(ctx, s, parts)
}

const day = 24 * time.Hour

// asked is the source's side of a proof.
type asked struct{ proof }

// Count requests a total.
func (a asked) Count(ctx context.Context, i checkpoints.Interval) (int, error) {
	return a.source.Count(ctx, a.query, i)
}

// Compare reads the interval and compares it, row by row.
func (a asked) Compare(ctx context.Context, i checkpoints.Interval) (Finding, error) {
	walks := a.source.Walk([]extract.Job{{Query: a.query, Interval: i}})
	gathered := &typed{batch: transform.NewBatch(a.table, memory.DefaultAllocator)}
	defer gathered.release()
	for page, err := range walks.Pages(ctx) {
		if err != nil {
			return Finding{}, err
		}
		for _, record := range page.Records {
			gathered.add(record)
		}
		page.Release()
	}
	for _, err := range walks.NotFound() {
		return Finding{}, err // what the source does not know has no rows to compare
	}
	gathered.flush()
	found, err := a.holdings.Compare(ctx, run.Stored(a.table, a.query, i), gathered.rows, gathered.rejects)
	finding := Finding{Missing: found.Missing, Extra: found.Extra, Differs: found.Differs, Samples: found.Samples}
	for _, s := range walks.Shortfalls() {
		finding.Unproven += int64(s.Missing)
	}
	if finding.Unproven == 0 && len(gathered.rejects) == 0 {
		finding.From, finding.To = found.Oldest.Truncate(time.Millisecond), found.Newest.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	return finding, err
}

// typed gathers the records of a range as typed rows.
type typed struct {
	batch   *transform.Batch
	built   []*transform.Built
	rows    []load.Rows
	rejects []load.Reject
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
	if built.Record != nil {
		t.rows = append(t.rows, load.Rows{Table: built.Table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest})
	}
	for _, reject := range built.Rejects {
		t.rejects = append(t.rejects, load.Reject{Reason: reject.Reason, Raw: reject.Raw})
	}
}

func (t *typed) release() {
	t.batch.Release()
	for _, built := range t.built {
		built.Release()
	}
}

// holding is the other side: what is held of the rows that the question matches.
type holding struct {
	proof
	grain time.Duration
}

// Count is how many rows of the interval are held.
func (h holding) Count(ctx context.Context, i checkpoints.Interval) (int64, error) {
	return h.holdings.Count(ctx, run.Stored(h.table, h.query, i))
}

// Middle is the time of the middle one.
func (h holding) Middle(ctx context.Context, i checkpoints.Interval) (time.Time, error) {
	return h.holdings.Middle(ctx, run.Stored(h.table, h.query, i))
}

// Quiet is an instant near which none is held, as the source resolves time.
func (h holding) Quiet(ctx context.Context, i checkpoints.Interval, at time.Time) (time.Time, bool, error) {
	if whole := at.Truncate(h.grain); whole.Before(at) {
		at = whole.Add(h.grain)
	}
	return h.holdings.Quiet(ctx, run.Stored(h.table, h.query, i), at, h.grain)
}

// batchOf types the points of an answer. The span is what they reach over.
func batchOf(s run.Series, window checkpoints.Window, answer *extract.StatsAnswer, now time.Time) (*transform.Built, transform.Span) {
	asked := s.Request(window, answer, now)
	batch := transform.NewBatch(schema.PolicyStats(), memory.DefaultAllocator)
	defer batch.Release()
	for _, point := range answer.Series {
		batch.AddPoint(asked, point)
	}
	return batch.Build(), asked.Range()
}
