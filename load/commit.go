package load

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Rows are one table's part of a commit. Keys are unique within Record.
type Rows struct {
	Table          *schema.Table
	Record         arrow.RecordBatch // schema Table.BatchSchema; the caller keeps ownership
	Oldest, Newest time.Time         // bounds of the time column, both inclusive
	// Seen, if not zero, is when the source gave these rows: versions that are
	// held since then stay.
	Seen time.Time
}

// Reject is a record that could not be typed.
type Reject struct {
	Reason, Raw string
}

// Coverage is what a commit's rows complete.
type Coverage struct {
	Key    checkpoints.Key
	Status checkpoints.Status
	Set    checkpoints.Set
}

// Commit is what one transaction writes.
type Commit struct {
	RunID    string
	Stream   string // also the name of its table
	Rows     []Rows // at most one part for each table
	Rejects  []Reject
	Coverage []Coverage
	// Recovered is the raw text of rejects that Rows now hold, typed.
	Recovered []string
}

// Counts say what became of the rows of the stream's own table.
type Counts struct {
	Inserted, Updated, Unchanged int64
	Quarantined                  int64 // rejects that were not known yet
}

// Commit writes everything in one transaction. If it fails, the outcome is
// unknown: close the warehouse and open it again, and the ledger tells.
func (w *Warehouse) Commit(ctx context.Context, c Commit) (Counts, error) {
	var counts Counts
	err := w.transact(ctx, "commit to warehouse", func(tx *sql.Tx) error {
		at := w.commitTime()
		for _, rows := range c.Rows {
			added, err := w.upsert(ctx, tx, c, rows, at)
			if err != nil {
				return fmt.Errorf("%s: %w", rows.Table.Name, err)
			}
			if rows.Table.Name == c.Stream {
				counts = added // of the rows; rejects are counted below
			}
		}
		for _, r := range c.Rejects {
			added, err := quarantine(ctx, tx, c, r, at)
			if err != nil {
				return err
			}
			counts.Quarantined += added
		}
		for _, raw := range c.Recovered {
			if _, err := tx.ExecContext(ctx, "DELETE FROM rejected_records WHERE stream = ? AND raw = ?", c.Stream, raw); err != nil {
				return err
			}
		}
		for _, covered := range c.Coverage {
			if err := checkpoints.Record(ctx, tx, covered.Key, covered.Status, c.RunID, covered.Set); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// quarantine keeps a reject once, however often the lookback meets it again.
func quarantine(ctx context.Context, tx *sql.Tx, c Commit, r Reject, at time.Time) (added int64, err error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO rejected_records (stream, run_id, reason, raw, rejected_at)
		SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM rejected_records WHERE stream = ? AND raw = ?)`,
		c.Stream, c.RunID, r.Reason, r.Raw, at, c.Stream, r.Raw)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// upsert brings a batch into its table. The batch is compared once, with the
// rows of its own time range only, so that the cost does not grow with history;
// rows whose time changed by more are found by Settle. What did not change is
// not written.
func (w *Warehouse) upsert(ctx context.Context, tx *sql.Tx, c Commit, rows Rows, at time.Time) (Counts, error) {
	if err := w.stage(ctx, tx, rows); err != nil {
		return Counts{}, err
	}
	s := statements{rows.Table}
	fresh, changed, err := s.tell(ctx, tx)
	if err != nil {
		return Counts{}, err
	}
	if changed > 0 {
		if _, err := tx.ExecContext(ctx, s.update(), c.RunID, at); err != nil {
			return Counts{}, err
		}
	}
	if fresh > 0 {
		if _, err := tx.ExecContext(ctx, s.insert(), s.insertArguments(c.RunID, at)...); err != nil {
			return Counts{}, err
		}
	}
	if fresh+changed > 0 {
		if err := w.note(ctx, tx, c, s); err != nil {
			return Counts{}, err
		}
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE temp.delta")
	return Counts{Inserted: fresh, Updated: changed, Unchanged: rows.Record.NumRows() - fresh - changed}, err
}

// stage puts the rows that are new or changed into the temporary table delta.
func (w *Warehouse) stage(ctx context.Context, tx *sql.Tx, rows Rows) error {
	return withView(w.conn, rows.Record, func() error {
		if _, err := tx.ExecContext(ctx, statements{rows.Table}.stage(rows)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DROP VIEW incoming")
		return err
	})
}

// withView registers a batch as the view incoming while a function runs. The view
// is a stream that can be read once. It is not temporary: a transaction that is
// to be committed drops it.
func withView(conn *sql.Conn, record arrow.RecordBatch, use func() error) error {
	reader, err := array.NewRecordReader(record.Schema(), []arrow.RecordBatch{record})
	if err != nil {
		return err
	}
	defer reader.Release()
	var release func()
	err = withArrow(conn, func(a *duckdb.Arrow) (err error) {
		release, err = a.RegisterView(reader, "incoming")
		return err
	})
	if err != nil {
		return err
	}
	defer release()
	return use()
}

// note lists the partitions that changed, and that the run's ids have still to
// be looked for in the rest of the table.
func (w *Warehouse) note(ctx context.Context, tx *sql.Tx, c Commit, s statements) error {
	if s.Partition != schema.Unpartitioned {
		if _, err := tx.ExecContext(ctx, s.partitions()); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO internal.unsettled
		SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM internal.unsettled WHERE stream = ? AND run_id = ?)`,
		s.Name, c.RunID, s.Name, c.RunID)
	return err
}

// statements writes the SQL of a commit from a table's declaration.
type statements struct{ *schema.Table }

// stage compares the incoming rows with those held in the same range of time.
func (s statements) stage(rows Rows) string {
	at := "t." + schema.Ident(s.Time)
	return fmt.Sprintf(`CREATE TEMP TABLE delta AS
		SELECT i.*, t.rowid AS held_row, %s AS held_time
		FROM incoming i LEFT JOIN %s t ON %s AND %s BETWEEN make_timestamptz(%d) AND make_timestamptz(%d)
		WHERE (t.rowid IS NULL OR %s)%s`,
		at, schema.Ident(s.Name), s.sameKey("i", "t"), at, rows.Oldest.UnixMicro(), rows.Newest.UnixMicro(), s.differs(), s.guard(rows.Seen))
}

func (s statements) sameKey(a, b string) string {
	terms := make([]string, len(s.Key))
	for i, k := range s.Key {
		operator := "IS NOT DISTINCT FROM"
		if c, _ := s.Column(k); c.NotNull {
			operator = "="
		}
		terms[i] = fmt.Sprintf("%s.%s %s %s.%s", a, schema.Ident(k), operator, b, schema.Ident(k))
	}
	return strings.Join(terms, " AND ")
}

func (s statements) differs() string {
	var terms []string
	for _, c := range s.Compared() {
		// JSON is compared as text: a field that changed its notation changed.
		terms = append(terms, fmt.Sprintf("t.%[1]s::VARCHAR IS DISTINCT FROM i.%[1]s::VARCHAR", schema.Ident(c.Name)))
		if c.Type != schema.JSON {
			terms[len(terms)-1] = fmt.Sprintf("t.%[1]s IS DISTINCT FROM i.%[1]s", schema.Ident(c.Name))
		}
	}
	if len(terms) == 0 {
		return "false"
	}
	return strings.Join(terms, " OR ")
}

// guard keeps a closed bucket from being replaced by a part of itself, and a row
// from being replaced by a version that is older than it.
func (s statements) guard(seen time.Time) string {
	guard := ""
	if _, ok := s.Column("closed"); ok {
		guard += " AND NOT (t.rowid IS NOT NULL AND t.closed AND NOT i.closed)"
	}
	if !seen.IsZero() {
		guard += fmt.Sprintf(" AND NOT EXISTS (SELECT 1 FROM %s h WHERE %s AND h._last_changed_at >= make_timestamptz(%d))",
			schema.Ident(s.Name), s.sameKey("h", "i"), seen.UnixMicro())
	}
	return guard
}

// key is the key's columns as one value.
func (s statements) key() string {
	keys := make([]string, len(s.Key))
	for i, k := range s.Key {
		keys[i] = schema.Ident(k)
	}
	if len(keys) == 1 {
		return keys[0]
	}
	return "ROW(" + strings.Join(keys, ", ") + ")"
}

// tell counts what is staged: rows that are new, and rows that changed. Until
// Settle an id may stand twice in the table, and match twice: then one of the two
// takes the new version, and Settle drops the other.
func (s statements) tell(ctx context.Context, tx *sql.Tx) (fresh, changed int64, err error) {
	for range 2 {
		var distinct int64
		err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) - count(held_row), count(held_row), count(DISTINCT %s) FROM temp.delta", s.key())).
			Scan(&fresh, &changed, &distinct)
		if err != nil || distinct == fresh+changed {
			return fresh, changed, err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM temp.delta WHERE held_row IS NOT NULL AND rowid NOT IN (
			SELECT min(rowid) FROM temp.delta WHERE held_row IS NOT NULL GROUP BY %s)`, s.key()))
		if err != nil {
			return 0, 0, err
		}
	}
	return 0, 0, fmt.Errorf("%d new rows and %d changed ones share keys", fresh, changed)
}

func (s statements) update() string {
	var set []string
	for _, c := range s.Compared() {
		set = append(set, fmt.Sprintf("%[1]s = d.%[1]s", schema.Ident(c.Name)))
	}
	set = append(set, "_run_id = ?")
	if _, ok := s.Column("_last_changed_at"); ok {
		set = append(set, "_last_changed_at = ?")
	}
	return fmt.Sprintf("UPDATE %s t SET %s FROM temp.delta d WHERE t.rowid = d.held_row AND t.%s = d.held_time",
		schema.Ident(s.Name), strings.Join(set, ", "), schema.Ident(s.Time))
}

func (s statements) insert() string {
	var names, values []string
	for _, c := range s.Columns {
		names = append(names, schema.Ident(c.Name))
		if c.Origin == schema.Bookkeeping {
			values = append(values, "?")
		} else {
			values = append(values, schema.Ident(c.Name))
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM temp.delta WHERE held_row IS NULL ORDER BY %s",
		schema.Ident(s.Name), strings.Join(names, ", "), strings.Join(values, ", "), schema.Ident(s.Time))
}

func (s statements) insertArguments(runID string, at time.Time) []any {
	var arguments []any
	for _, c := range s.Columns {
		switch {
		case c.Origin != schema.Bookkeeping:
		case c.Type == schema.Timestamp:
			arguments = append(arguments, at)
		default:
			arguments = append(arguments, runID)
		}
	}
	return arguments
}

func (s statements) partitions() string {
	return fmt.Sprintf(`INSERT INTO internal.changed_partitions
		SELECT DISTINCT %[1]s, p FROM (
			SELECT %[2]s AS p FROM temp.delta
			UNION SELECT %[3]s FROM temp.delta WHERE held_row IS NOT NULL)
		WHERE (%[1]s, p) NOT IN (SELECT (table_name, partition_start) FROM internal.changed_partitions)`,
		schema.Literal(s.Name), s.partitionOf(schema.Ident(s.Time)), s.partitionOf("held_time"))
}

// partitionOf is the SQL of the start of the partition that holds a time.
func (s statements) partitionOf(column string) string {
	unit := "day"
	if s.Partition == schema.ByMonth {
		unit = "month"
	}
	return fmt.Sprintf("date_trunc('%s', %s)", unit, column)
}
