package load

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
)

// Keep says how long the program's own records are kept; 0 means indefinitely. Of rows of
// the source see Expire.
type Keep struct {
	Runs    time.Duration // sync_runs and sync_lateness
	Rejects time.Duration // rejected_records
}

// Retain removes the program's own records that are older than they are to be kept,
// in a transaction of its own. It works in whole UTC days: of many runs a day only the
// first looks for such records.
//
// Of each stream these runs are always kept: the first, the newest that finished, was
// complete, or verified, and the one that reached furthest. Without them a run would verify
// too late or never, and a verification would not know how far to look. Rows keep a
// _run_id whose run was removed.
//
// It returns how many rejects were removed, by stream. A removed reject leaves a fingerprint, so that it is recognised when the lookback or a
// verification reads it again: it is not stored again, and not counted as missing.
func (w *Warehouse) Retain(ctx context.Context, keep Keep, now time.Time) (rejected map[string]int64, err error) {
	const doing = "remove old records"
	runs, rejects := FirstKept(now, keep.Runs), FirstKept(now, keep.Rejects)
	limits := fmt.Sprint(runs.Unix(), rejects.Unix())
	done, err := layout.Meta(ctx, w.conn, retained)
	if err != nil || slices.Contains(done, limits) {
		return nil, duckdb.Wrap(doing, err)
	}
	err = w.transact(ctx, doing, func(tx *sql.Tx) (err error) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sync_runs WHERE started_at < ? AND rowid NOT IN ("+keptRuns+")", runs); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM sync_lateness WHERE observed_at < ?", runs); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO internal.meta SELECT DISTINCT ?, "+fingerprint("stream", "raw")+" FROM rejected_records WHERE rejected_at < ?", forgotten, rejects)
		if err != nil {
			return err
		}
		streams, err := duckdb.ReadColumn[string](ctx, tx, "DELETE FROM rejected_records WHERE rejected_at < ? RETURNING stream", rejects)
		if err != nil {
			return err
		}
		rejected = map[string]int64{}
		for _, stream := range streams {
			rejected[stream]++
		}
		return layout.SetMeta(ctx, tx, retained, limits)
	})
	if err != nil {
		return nil, err
	}
	return rejected, nil
}

// retained is the key in internal.meta of the limits that were applied last.
const retained = "retained"

// FirstKept is the start of the first UTC day whose records are kept; zero, which is
// before all of them, if they are kept indefinitely.
func FirstKept(now time.Time, keep time.Duration) time.Time {
	if keep == 0 {
		return time.Time{}
	}
	return now.Add(-keep).UTC().Truncate(24 * time.Hour)
}

// keptRuns are the rows of sync_runs that are always kept.
const keptRuns = `SELECT unnest(list_filter([
		arg_min(rowid, started_at),
		arg_max(rowid, started_at) FILTER (finished_at IS NOT NULL),
		arg_max(rowid, started_at) FILTER (complete),
		arg_max(rowid, started_at) FILTER (verified IS NOT NULL),
		arg_max(rowid, to_ts)
	], lambda r: r IS NOT NULL)) FROM sync_runs GROUP BY stream`

// forgotten is the key in internal.meta of removed rejects; the value is their fingerprint.
const forgotten = "forgotten reject"

// fingerprint is the SQL of a removed reject's fingerprint. The text of the reject cannot
// be derived from it.
func fingerprint(stream, raw string) string {
	return fmt.Sprintf("%s || ' ' || sha256(%s)", stream, raw)
}
