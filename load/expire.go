package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/rewrite"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Expiry says which rows of a stream are dropped: those dated before the start of a UTC day.
type Expiry struct {
	Stream *schema.Stream
	Before time.Time
	// Starts are the queries of all streams that are configured, and where their history
	// begins. What the ledger has of other queries expires as well.
	Starts map[checkpoints.Key]time.Time
}

// Expire drops rows, and records in the ledger that they have expired, in one transaction.
// What is dropped is in no byte of the private file afterwards, which is made anew for it:
// see Rewrite. It does nothing where neither rows nor the ledger have anything to drop,
// unless the file is to be made anew: rejects have no date that could be asked for.
// It returns the rows that were dropped, by table.
func (w *Warehouse) Expire(ctx context.Context, runID string, all []Expiry, anew bool) (map[string]int64, error) {
	ledger, err := w.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	var stored []Expiry
	recorded := true
	for _, e := range all {
		has, err := e.stored(ctx, w.conn)
		if err != nil {
			return nil, err
		}
		if has {
			stored = append(stored, e)
		}
		recorded = recorded && len(e.due(ledger)) == 0
	}
	record := func(ctx context.Context, tx *sql.Tx) error {
		for _, e := range all {
			for key, interval := range e.due(ledger) {
				if err := checkpoints.Expire(ctx, tx, key, runID, interval); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if len(stored) > 0 || anew {
		done, err := w.Rewrite(ctx, dropping(stored, record))
		return done.Removed, err
	}
	if recorded {
		return nil, nil
	}
	return nil, w.transact(ctx, "record what has expired", func(tx *sql.Tx) error { return record(ctx, tx) })
}

// due is what the ledger has to record as expired, by query.
func (e Expiry) due(ledger []checkpoints.Line) map[checkpoints.Key]checkpoints.Interval {
	due := map[checkpoints.Key]checkpoints.Interval{}
	for key, start := range e.Starts {
		if key.Stream == e.Stream.Name {
			due[key] = checkpoints.Interval{From: start, To: e.Before}
		}
	}
	for _, line := range ledger {
		if i, known := due[line.Key()]; line.Stream == e.Stream.Name && (!known || line.From.Before(i.From)) {
			due[line.Key()] = checkpoints.Interval{From: line.From, To: e.Before}
		}
	}
	for key, i := range due {
		recorded, restored := false, false
		for _, line := range ledger {
			switch {
			case line.Key() != key:
			case line.Status != checkpoints.Expired: // of an older ledger, if it is of that time
				restored = restored || line.From.Before(i.To)
			case !line.From.After(i.From) && !line.To.Before(i.To):
				recorded = true
			}
		}
		if i.Empty() || recorded && !restored {
			delete(due, key)
		}
	}
	return due
}

// stored reports whether rows are stored that are to be dropped, also where the ledger
// says that they were: rows of an older file of the lake, or that moved at the source.
func (e Expiry) stored(ctx context.Context, conn *sql.Conn) (has bool, err error) {
	for _, table := range e.Stream.Tables() {
		query := fmt.Sprintf("SELECT EXISTS (FROM %s WHERE NOT (%s))", schema.Ident(table.Name), e.keeps(table))
		if err = conn.QueryRowContext(ctx, query).Scan(&has); err != nil || has {
			break
		}
	}
	return has, duckdb.Wrap("look for expired rows", err)
}

// keeps is the condition that a row of a table stays.
func (e Expiry) keeps(table *schema.Table) string {
	return fmt.Sprintf("%s >= make_timestamptz(%d)", schema.Ident(table.Time), e.Before.UnixMicro())
}

// dropping makes the file anew without what has expired, and then records it. Derived tables
// lose the days of which something expires.
func dropping(all []Expiry, record func(context.Context, *sql.Tx) error) rewrite.Changes {
	changes := rewrite.Changes{Where: derived.OtherDays(), Then: record}
	var days []string
	for _, e := range all {
		for _, table := range e.Stream.Tables() {
			changes.Where[table.Name] = e.keeps(table)
		}
		if e.Stream.Kind == schema.List { // others have no derived tables
			days = append(days, derived.DaysOf(e.Stream.Table, rewrite.Old+".main.", "NOT ("+e.keeps(e.Stream.Table)+")"))
		}
	}
	changes.Before = func(ctx context.Context, tx *sql.Tx) error { return derived.ListDays(ctx, tx, days) }
	return changes
}
