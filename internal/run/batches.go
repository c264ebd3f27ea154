package run

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

const (
	// A batch is given to the writer when it has so many rows or bytes. Small ones
	// need little memory, and are written while the next one is filled.
	batchRows  = commitRows / 8
	batchBytes = 12 << 20
	// A transaction is committed when it has so many rows or bytes. DuckDB keeps
	// tables in groups of 122,880 rows. A transaction that brings whole groups writes
	// them into the file at once; any other one goes through the log first, and is
	// written again by the checkpoint, which takes twice the time.
	commitRows  = 122_880
	commitBytes = 96 << 20
	// Rows so large that a group of them is beyond that are committed sooner: DuckDB
	// keeps a transaction in memory.
	largeBytes = 16 << 20
	// A transaction that updated so many rows is committed, too.
	updatedRows = batchRows
	// commitAge bounds how much work a crash can undo.
	commitAge = 15 * time.Second
)

// batches collects a stream's rows, rejects and coverage in batches, and gives them
// to the writer.
type batches struct {
	run       *run
	stream    string
	result    *Result
	rows      *transform.Batch
	summaries *transform.Batch // of statistics only
	coverage  []load.Coverage
	writer    *writer
	since     time.Time                 // of the last commit
	pending   struct{ rows, bytes int } // given to the writer since then
}

func (r *run) openBatches(ctx context.Context, table *schema.Table, result *Result) *batches {
	return &batches{
		run: r, stream: table.Name, result: result, since: r.options.Now(),
		rows:   transform.NewBatch(table, r.options.Privacy, mallocator.NewMallocator()),
		writer: r.openWriter(ctx, table.Name, result),
	}
}

func (b *batches) release() {
	_ = b.writer.close()
	b.rows.Release()
	if b.summaries != nil {
		b.summaries.Release()
	}
}

// add appends a record with the given function, and flushes the batch when it is
// full, or has another version of the same row. A record that has expired is passed over,
// as if the source had not sent it: it may lie beside the boundary of what was requested.
func (b *batches) add(ctx context.Context, add func() transform.Outcome) error {
	outcome := add()
	if outcome == transform.Expired {
		return nil
	}
	b.result.Received++
	if outcome == transform.Conflict {
		if err := b.flush(ctx, false); err != nil {
			return err
		}
		outcome = add()
	}
	switch outcome {
	case transform.Duplicate:
		b.result.Duplicate++
	case transform.Rejected:
		b.result.Rejected++
	case transform.Withheld:
		b.result.Withheld++
	}
	rows, bytes := b.rows.Rows(), b.rows.Bytes()
	switch {
	case fills(b.pending.rows+rows, b.pending.bytes+bytes):
		return b.flush(ctx, true)
	case rows >= batchRows || bytes >= batchBytes:
		return b.flush(ctx, false)
	}
	return nil
}

// fills reports whether so many rows and bytes make a transaction.
func fills(rows, bytes int) bool {
	large := bytes/max(rows, 1) > commitBytes/commitRows
	return rows >= commitRows || bytes >= commitBytes || (large && bytes >= largeBytes)
}

// repeated counts records that were received again and left out.
func (b *batches) repeated(records int) {
	b.result.Received += int64(records)
	b.result.Duplicate += int64(records)
}

// cover adds intervals that are complete once everything added so far is
// committed.
func (b *batches) cover(key checkpoints.Key, status checkpoints.Status, set checkpoints.Set) {
	if len(set) == 0 {
		return
	}
	for i := range b.coverage {
		if c := &b.coverage[i]; c.Key == key && c.Status == status {
			c.Set = c.Set.Union(set)
			return
		}
	}
	b.coverage = append(b.coverage, load.Coverage{Key: key, Status: status, Set: set})
}

// commitIfDue commits when the last time was long ago.
func (b *batches) commitIfDue(ctx context.Context) error {
	if b.run.options.Now().Sub(b.since) < commitAge {
		return nil
	}
	return b.flush(ctx, true)
}

// flush gives the batch to the writer. The coverage goes with the batch that is
// committed: everything it covers was given to the writer before.
func (b *batches) flush(ctx context.Context, commit bool) error {
	b.pending.rows += b.rows.Rows()
	b.pending.bytes += b.rows.Bytes()
	p := batch{built: []*transform.Built{b.rows.Build()}, commit: commit}
	if b.summaries != nil {
		p.built = append(p.built, b.summaries.Build())
	}
	if commit {
		p.coverage, b.coverage = b.coverage, nil
		b.since = b.run.options.Now()
		b.pending.rows, b.pending.bytes = 0, 0
	}
	return b.writer.put(p)
}

// finish commits the rest, dedupes the table and closes the stream's counts.
// What was received is kept also when the stream failed or was interrupted. An
// interrupted run leaves it to the next one to dedupe the table, which may take long: it
// publishes nothing.
func (b *batches) finish(ctx context.Context, failure error) error {
	err := cmp.Or(b.flush(ctx, true), b.writer.close())
	if err != nil {
		b.result.Received = b.result.accounted() // what could not be stored is received again: the ledger lacks it
		return err
	}
	if ctx.Err() != nil {
		return cmp.Or(failure, ctx.Err())
	}
	correction, err := b.run.warehouse.Dedupe(ctx, b.run.options.RunID, schema.ByName(b.stream))
	if err != nil {
		return err
	}
	b.result.Inserted += correction.Inserted
	b.result.Updated += correction.Updated
	if unknown := b.rows.UnknownFields(); len(unknown) > 0 {
		b.run.warn(b.stream, "the source sends fields that this release does not know; they are kept in extra: "+strings.Join(unknown, ", "))
	}
	switch {
	case failure != nil:
		return failure
	case b.result.Received != b.result.accounted():
		return fmt.Errorf("%d rows received do not add up to %+v", b.result.Received, *b.result)
	case b.result.tooManyRejected():
		return fmt.Errorf("%w: %d of %d rows were rejected; see the table rejected_records", ErrIncomplete, b.result.Rejected, b.result.Received)
	}
	return nil
}
