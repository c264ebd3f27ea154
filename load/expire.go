package load

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Expiry says which rows of a stream are dropped: those dated before the start of a UTC day.
type Expiry struct {
	Stream *schema.Stream
	Before time.Time
	// Starts are the queries that are configured, and where their history begins. What the
	// ledger has of other queries expires as well.
	Starts map[checkpoints.Key]time.Time
}

// Expired is the end of what has expired of a stream: of every query, also of one that is
// configured later. Zero if nothing has.
func (r Reader) Expired(ctx context.Context, stream string) (time.Time, error) {
	var end sql.NullTime
	err := r.conn.QueryRowContext(ctx, "SELECT max(to_ts) FROM sync_coverage WHERE stream = ? AND status = ?", stream, string(checkpoints.Expired)).Scan(&end)
	return end.Time.UTC(), duckdb.Wrap("read warehouse", err)
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
		has, err := w.hasExpired(ctx, e)
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
		done, err := w.Rewrite(ctx, Rewriting{Before: listExpiredDays(stored), Where: unexpired(stored), Then: record})
		return done.Removed, err
	}
	if recorded {
		return nil, nil
	}
	return nil, w.transact(ctx, "record what has expired", func(tx *sql.Tx) error { return record(ctx, tx) })
}

// due is what the ledger has to record as expired, by query.
func (e Expiry) due(ledger []checkpoints.Line) map[checkpoints.Key]checkpoints.Interval {
	starts, recorded := maps.Clone(e.Starts), map[checkpoints.Key]bool{}
	if starts == nil {
		starts = map[checkpoints.Key]time.Time{}
	}
	for _, line := range ledger {
		key := checkpoints.Key{Stream: line.Stream, Filter: line.Filter}
		if start, known := starts[key]; line.Stream == e.Stream.Name && (!known || line.From.Before(start)) {
			starts[key] = line.From
		}
	}
	for _, line := range ledger {
		key := checkpoints.Key{Stream: line.Stream, Filter: line.Filter}
		if line.Status == checkpoints.Expired && !line.From.After(starts[key]) && !line.To.Before(e.Before) {
			recorded[key] = true
		}
	}
	for _, line := range ledger { // an older ledger may have been restored
		if line.Status != checkpoints.Expired && line.From.Before(e.Before) {
			delete(recorded, checkpoints.Key{Stream: line.Stream, Filter: line.Filter})
		}
	}
	due := map[checkpoints.Key]checkpoints.Interval{}
	for key, start := range starts {
		if i := (checkpoints.Interval{From: start, To: e.Before}); !i.Empty() && !recorded[key] {
			due[key] = i
		}
	}
	return due
}

// tables are those that have the stream's rows.
func (e Expiry) tables() []*schema.Table {
	return slices.DeleteFunc([]*schema.Table{e.Stream.Table, e.Stream.Summary}, func(t *schema.Table) bool { return t == nil })
}

// hasExpired reports whether rows are stored that are to be dropped, also where the ledger
// says that they were: rows of an older file of the lake, or that moved at the source.
func (w *Warehouse) hasExpired(ctx context.Context, e Expiry) (has bool, err error) {
	for _, table := range e.tables() {
		query := fmt.Sprintf("SELECT EXISTS (FROM %s WHERE NOT (%s))", schema.Ident(table.Name), e.keeps(table))
		if err = w.conn.QueryRowContext(ctx, query).Scan(&has); err != nil || has {
			break
		}
	}
	return has, duckdb.Wrap("look for expired rows", err)
}

// keeps is the condition that a row of a table stays.
func (e Expiry) keeps(table *schema.Table) string {
	return fmt.Sprintf("%s >= make_timestamptz(%d)", schema.Ident(table.Time), e.Before.UnixMicro())
}

// expiredDays is the temporary table of the days of which something expires.
const expiredDays = "expired_days"

// listExpiredDays makes it.
func listExpiredDays(all []Expiry) func(context.Context, *sql.Tx) error {
	queries := []string{"SELECT NULL::DATE AS day WHERE false"}
	for _, e := range all {
		if e.Stream.Kind == schema.List { // others have no derived tables
			at := schema.Ident(e.Stream.Table.Time)
			queries = append(queries, fmt.Sprintf("SELECT CAST(make_timestamp(epoch_us(%s)) AS DATE) FROM %s.main.%s WHERE NOT (%s)",
				at, former, schema.Ident(e.Stream.Table.Name), e.keeps(e.Stream.Table)))
		}
	}
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TEMP TABLE "+expiredDays+" AS "+strings.Join(queries, " UNION "))
		return err
	}
}

// unexpired are the conditions of all tables. Derived tables lose the days that Derive
// computes again from what is left of them.
func unexpired(all []Expiry) map[string]string {
	where := map[string]string{}
	for _, e := range all {
		for _, table := range e.tables() {
			where[table.Name] = e.keeps(table)
		}
	}
	for _, table := range schema.Tables() {
		if table.Derived != "" {
			where[table.Name] = schema.Ident(table.Time) + " NOT IN (SELECT day FROM temp." + expiredDays + ")"
		}
	}
	return where
}

// CountBefore counts the rows of a table that are dated before an instant.
func (r Reader) CountBefore(ctx context.Context, table *schema.Table, at time.Time) (rows int64, err error) {
	err = r.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s < ?", schema.Ident(table.Name), schema.Ident(table.Time)), at).Scan(&rows)
	return rows, duckdb.Wrap("count old rows", err)
}
