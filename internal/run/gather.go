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
	// A batch is handed to the store when it holds so many rows or bytes. Small ones
	// need little memory, and are written while the next one is gathered.
	batchRows  = commitRows / 8
	batchBytes = 12 << 20
	// A transaction is committed when it holds so many rows or bytes. DuckDB keeps
	// tables in groups of 122,880 rows. A transaction that brings whole groups writes
	// them into the file at once; any other one goes through the log first, and is
	// written again by the checkpoint, which takes twice the time.
	commitRows  = 122_880
	commitBytes = 96 << 20
	// Rows so large that a group of them is beyond that are committed sooner: what a
	// transaction holds, DuckDB holds in memory.
	largeBytes = 16 << 20
	// A transaction that updated so many rows is committed, too.
	updatedRows = batchRows
	// commitAge bounds how much work a crash can undo.
	commitAge = 15 * time.Second
)

// gatherer collects a stream's rows, rejects and coverage in batches, and hands
// them to the store.
type gatherer struct {
	run       *run
	stream    string
	result    *Result
	rows      *transform.Batch
	summaries *transform.Batch // of policy_stats only
	coverage  []load.Coverage
	store     *store
	since     time.Time // of the last commit
	handed    struct{ rows, bytes int }
}

func (r *run) gather(ctx context.Context, table *schema.Table, result *Result) *gatherer {
	return &gatherer{
		run: r, stream: table.Name, result: result, since: r.options.Now(),
		rows:  transform.NewBatch(table, mallocator.NewMallocator()),
		store: r.openStore(ctx, table.Name, result),
	}
}

func (g *gatherer) release() {
	_ = g.store.close()
	g.rows.Release()
	if g.summaries != nil {
		g.summaries.Release()
	}
}

// add appends a record with the given function, and hands the batch on when it is
// full, or holds another version of the same row.
func (g *gatherer) add(ctx context.Context, add func() transform.Outcome) error {
	g.result.Received++
	outcome := add()
	if outcome == transform.Conflict {
		if err := g.handOver(ctx, false); err != nil {
			return err
		}
		outcome = add()
	}
	switch outcome {
	case transform.Duplicate:
		g.result.Duplicate++
	case transform.Rejected:
		g.result.Rejected++
	}
	rows, bytes := g.rows.Rows(), g.rows.Bytes()
	switch {
	case enough(g.handed.rows+rows, g.handed.bytes+bytes):
		return g.handOver(ctx, true)
	case rows >= batchRows || bytes >= batchBytes:
		return g.handOver(ctx, false)
	}
	return nil
}

// enough reports whether so many rows and bytes make a transaction.
func enough(rows, bytes int) bool {
	large := bytes/max(rows, 1) > commitBytes/commitRows
	return rows >= commitRows || bytes >= commitBytes || (large && bytes >= largeBytes)
}

// repeated accounts for records that were received again and left out.
func (g *gatherer) repeated(records int) {
	g.result.Received += int64(records)
	g.result.Duplicate += int64(records)
}

// cover notes intervals that are complete once everything added so far is
// committed.
func (g *gatherer) cover(key checkpoints.Key, status checkpoints.Status, set checkpoints.Set) {
	if len(set) == 0 {
		return
	}
	for i := range g.coverage {
		if c := &g.coverage[i]; c.Key == key && c.Status == status {
			c.Set = c.Set.Union(set)
			return
		}
	}
	g.coverage = append(g.coverage, load.Coverage{Key: key, Status: status, Set: set})
}

// commitIfDue commits when the last time was long ago.
func (g *gatherer) commitIfDue(ctx context.Context) error {
	if g.run.options.Now().Sub(g.since) < commitAge {
		return nil
	}
	return g.handOver(ctx, true)
}

// handOver gives what was gathered to the store. The coverage goes with the batch
// that is committed: everything it vouches for was handed over before.
func (g *gatherer) handOver(ctx context.Context, commit bool) error {
	g.handed.rows += g.rows.Rows()
	g.handed.bytes += g.rows.Bytes()
	p := parcel{built: []*transform.Built{g.rows.Build()}, commit: commit}
	if g.summaries != nil {
		p.built = append(p.built, g.summaries.Build())
	}
	if commit {
		p.coverage, g.coverage = g.coverage, nil
		g.since = g.run.options.Now()
		g.handed.rows, g.handed.bytes = 0, 0
	}
	return g.store.put(p)
}

// disown takes out of the accounts what was received and could not be stored: the
// ledger lacks it, so the next run receives it again.
func (r *Result) disown() {
	r.Received = r.Inserted + r.Updated + r.Unchanged + r.Duplicate + r.Rejected
}

// finish commits the rest, settles the table and closes the stream's accounts.
// What was received is kept also when the stream failed or was interrupted. An
// interrupted run leaves it to the next one to settle the table, which may take long: it
// publishes nothing.
func (g *gatherer) finish(ctx context.Context, failure error) error {
	err := cmp.Or(g.handOver(ctx, true), g.store.close())
	if err != nil {
		g.result.disown()
		return err
	}
	if ctx.Err() != nil {
		return cmp.Or(failure, ctx.Err())
	}
	correction, err := g.run.warehouse.Settle(ctx, g.run.options.RunID, schema.ByName(g.stream))
	if err != nil {
		return err
	}
	g.result.Inserted += correction.Inserted
	g.result.Updated += correction.Updated
	if unknown := g.rows.UnknownFields(); len(unknown) > 0 {
		g.run.warn(g.stream, "the source sends fields that this release does not know; they are kept in extra: "+strings.Join(unknown, ", "))
	}
	switch {
	case failure != nil:
		return failure
	case !g.result.conserves():
		return fmt.Errorf("%d rows received do not add up to %+v", g.result.Received, *g.result)
	case g.result.tooManyRejected():
		return fmt.Errorf("%w: %d of %d rows were rejected; see the table rejected_records", ErrIncomplete, g.result.Rejected, g.result.Received)
	}
	return nil
}
