package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Rows are a batch of one table. Keys are unique within Record.
type Rows struct {
	Table          *schema.Table
	Record         arrow.RecordBatch // schema Table.BatchSchema; the caller keeps ownership
	Oldest, Newest time.Time         // bounds of the time column, both inclusive
	// Seen, if not zero, is when the source sent these rows: versions stored since then
	// stay.
	Seen time.Time
}

// Coverage is what a commit's rows complete.
type Coverage struct {
	Key    checkpoints.Key
	Status checkpoints.Status
	Set    checkpoints.Set
}

// Commit is what one transaction writes, beside the rows that were added to it
// before.
type Commit struct {
	RunID    string
	Stream   string // also the name of its table
	Rows     []Rows
	Rejects  []schema.Reject
	Coverage []Coverage
	// Recovered is the raw text of former rejects that are in Rows now.
	Recovered []string
	// Sealed are encrypted ids that are stored, each once.
	Sealed []string
}

// Counts are what happened to the rows of the stream's own table.
type Counts struct {
	Inserted, Updated, Unchanged int64
	Quarantined                  int64 // rejects that were not known yet
}

// pending is the open transaction between Add and Commit.
type pending struct {
	tx      *sql.Tx
	began   time.Time // not later than any of its rows
	counts  Counts
	updated int64 // rows of all tables
}

// Add writes rows in the transaction that the next Commit ends, and opens one if needed.
// Until then nobody sees them, and no other method of the warehouse may be called. If it
// fails, the whole transaction is rolled back. It returns how many rows the transaction has
// updated so far: DuckDB keeps these in memory until they are committed.
func (w *Warehouse) Add(ctx context.Context, runID, stream string, rows Rows) (updated int64, err error) {
	if err := w.add(ctx, runID, stream, rows); err != nil {
		return 0, w.rollbackIfFailed(ctx, err)
	}
	return w.pending.updated, nil
}

// openTransaction opens a transaction if none is open.
func (w *Warehouse) openTransaction(ctx context.Context) error {
	if w.pending != nil {
		return nil
	}
	tx, err := w.conn.BeginTx(ctx, nil)
	if err == nil {
		w.pending = &pending{tx: tx, began: w.commitTime()}
	}
	return err
}

func (w *Warehouse) add(ctx context.Context, runID, stream string, rows Rows) error {
	if err := w.openTransaction(ctx); err != nil {
		return err
	}
	// Each batch has a time of its own, so that the later of two versions of a row is known.
	added, err := w.upsert(ctx, runID, rows, w.commitTime())
	if err != nil {
		return fmt.Errorf("%s: %w", rows.Table.Name, err)
	}
	w.pending.updated += added.Updated
	if rows.Table.Name == stream {
		w.pending.counts.add(added)
	}
	return nil
}

// Commit writes everything in one transaction, with the rows that were added
// before. If it fails, the outcome is unknown: call Recover and read the ledger. The
// counts are of all rows of the transaction.
func (w *Warehouse) Commit(ctx context.Context, c Commit) (Counts, error) {
	counts, err := w.commit(ctx, c)
	return counts, w.rollbackIfFailed(ctx, err)
}

func (w *Warehouse) commit(ctx context.Context, c Commit) (Counts, error) {
	for _, rows := range c.Rows {
		if err := w.add(ctx, c.RunID, c.Stream, rows); err != nil {
			return Counts{}, err
		}
	}
	if err := w.openTransaction(ctx); err != nil {
		return Counts{}, err
	}
	tx, counts := w.pending.tx, w.pending.counts
	for _, r := range c.Rejects {
		added, err := quarantine(ctx, tx, c, r, w.pending.began)
		if err != nil {
			return Counts{}, err
		}
		counts.Quarantined += added
	}
	for _, raw := range c.Recovered {
		if _, err := tx.ExecContext(ctx, "DELETE FROM rejected_records WHERE stream = ? AND raw = ?", c.Stream, raw); err != nil {
			return Counts{}, err
		}
	}
	for _, text := range c.Sealed {
		if err := layout.AddMeta(ctx, tx, layout.Sealed, text); err != nil {
			return Counts{}, err
		}
	}
	for _, covered := range c.Coverage {
		if err := checkpoints.Record(ctx, tx, covered.Key, covered.Status, c.RunID, covered.Set); err != nil {
			return Counts{}, err
		}
	}
	w.pending = nil
	return counts, tx.Commit()
}

// rollbackIfFailed ends the open transaction after a failure.
func (w *Warehouse) rollbackIfFailed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	w.rollback()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if w.memory.GrowAfter(err) {
		return &duckdb.StorageError{Doing: "commit to warehouse", Err: err, MoreMemory: true}
	}
	return duckdb.Wrap("commit to warehouse", err)
}

// rollback ends the open transaction without committing it, if there is one.
func (w *Warehouse) rollback() {
	if w.pending != nil {
		_ = w.pending.tx.Rollback()
		w.pending = nil
	}
}

func (c *Counts) add(more Counts) {
	c.Inserted += more.Inserted
	c.Updated += more.Updated
	c.Unchanged += more.Unchanged
}

// quarantine stores a reject once, however often the lookback reads it again.
func quarantine(ctx context.Context, tx *sql.Tx, c Commit, r schema.Reject, at time.Time) (added int64, err error) {
	if known, err := KnowsReject(ctx, tx, c.Stream, r.Raw); err != nil || known {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO rejected_records (stream, run_id, reason, raw, rejected_at) VALUES (?, ?, ?, ?, ?)",
		c.Stream, c.RunID, r.Reason, r.Raw, at)
	return 1, err
}
