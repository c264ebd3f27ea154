package load

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Keep says how long the program's own records are kept; 0 means indefinitely. Rows of the
// source and the ledger are always kept.
type Keep struct {
	Runs    time.Duration // sync_runs and sync_lateness
	Rejects time.Duration // rejected_records
}

// Removed is what Retain removed, in rows.
type Removed struct {
	Runs, Lateness int64
	Rejects        map[string]int64 // by stream
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
// A removed reject leaves a fingerprint, so that it is recognised when the lookback or a
// verification reads it again: it is not stored again, and not counted as missing.
func (w *Warehouse) Retain(ctx context.Context, keep Keep, now time.Time) (Removed, error) {
	const doing = "remove old records"
	removals := keep.removals(now)
	limits := fmt.Sprint(removals)
	var done bool
	err := w.conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM internal.meta WHERE key = ? AND value = ?", retained, limits).Scan(&done)
	if err != nil || done {
		return Removed{}, duckdb.Wrap(doing, err)
	}
	removed := Removed{Rejects: map[string]int64{}}
	err = w.transact(ctx, doing, func(tx *sql.Tx) error {
		for _, r := range removals {
			if err := r.remove(ctx, tx, &removed); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = ?", retained); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES (?, ?)", retained, limits)
		return err
	})
	return removed, err
}

// retained is the key in internal.meta of the limits that were applied last.
const retained = "retained"

// removal is what may be removed from one table.
type removal struct {
	table, where string
	arguments    []any
	before       string // a statement on the same rows, if any
	count        func(removed *Removed, stream string, rows int64)
}

// removals lists them for the records that are not kept indefinitely.
func (k Keep) removals(now time.Time) []removal {
	var all []removal
	if k.Runs > 0 {
		last := lastDay(now, k.Runs)
		all = append(
			all,
			removal{
				table: "sync_runs", where: "started_at < ? AND rowid NOT IN (" + keptRuns + ")", arguments: []any{last},
				count: func(removed *Removed, _ string, rows int64) { removed.Runs += rows },
			},
			removal{
				table: "sync_lateness", where: "observed_at < ?", arguments: []any{last},
				count: func(removed *Removed, _ string, rows int64) { removed.Lateness += rows },
			},
		)
	}
	if k.Rejects > 0 {
		all = append(all, removal{
			table: "rejected_records", where: "rejected_at < ?", arguments: []any{lastDay(now, k.Rejects)},
			before: "INSERT INTO internal.meta SELECT DISTINCT '" + forgotten + "', " + fingerprint("stream", "raw") + " FROM rejected_records",
			count:  func(removed *Removed, stream string, rows int64) { removed.Rejects[stream] += rows },
		})
	}
	return all
}

// lastDay is the start of the first UTC day that is kept.
func lastDay(now time.Time, keep time.Duration) time.Time {
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

// String is the table and its limit.
func (m removal) String() string { return fmt.Sprint(m.table, m.arguments) }

func (m removal) remove(ctx context.Context, tx *sql.Tx, removed *Removed) error {
	if m.before != "" {
		if _, err := tx.ExecContext(ctx, m.before+" WHERE "+m.where, m.arguments...); err != nil {
			return err
		}
	}
	rows, err := countByStream(tx.QueryContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s RETURNING stream", m.table, m.where), m.arguments...))
	if m.count != nil {
		for _, stream := range slices.Sorted(maps.Keys(rows)) {
			m.count(removed, stream, rows[stream])
		}
	}
	return err
}

func countByStream(rows *sql.Rows, err error) (map[string]int64, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int64{}
	for rows.Next() {
		var stream string
		if err := rows.Scan(&stream); err != nil {
			return nil, err
		}
		counts[stream]++
	}
	return counts, rows.Err()
}

// forgotten is the key in internal.meta of removed rejects; the value is their fingerprint.
const forgotten = "forgotten reject"

// fingerprint is the SQL of a removed reject's fingerprint. The text of the reject cannot
// be derived from it.
func fingerprint(stream, raw string) string {
	return fmt.Sprintf("%s || ' ' || sha256(%s)", stream, raw)
}
