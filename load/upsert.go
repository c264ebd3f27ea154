package load

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// upsert writes a batch to its table. It is compared with the stored rows of its own time
// only, so that the cost does not grow with history; Dedupe finds rows whose time changed
// by more. Unchanged rows are not written, and new rows go straight from the batch into the
// table.
func (w *Warehouse) upsert(ctx context.Context, runID string, rows Rows, at time.Time) (Counts, error) {
	total := rows.Record.NumRows()
	if total == 0 {
		return Counts{}, nil
	}
	s := statements{rows.Table}
	i := newIncoming(w.conn, w.pending.tx, rows.Record)
	defer i.release()
	stored, changed, err := s.compare(ctx, i, rows)
	if err != nil {
		return Counts{}, err
	}
	if changed > 0 {
		if err := s.replace(ctx, i, runID, at); err != nil {
			return Counts{}, err
		}
	}
	if stored < total {
		if err := s.insert(ctx, i, stored, runID, at); err != nil {
			return Counts{}, err
		}
	}
	if stored < total || changed > 0 {
		if err := s.listTouched(ctx, i, stored); err != nil {
			return Counts{}, err
		}
		if err := s.listRun(ctx, i.tx, runID); err != nil {
			return Counts{}, err
		}
	}
	_, err = i.tx.ExecContext(ctx, "DROP TABLE IF EXISTS temp.stored")
	return Counts{Inserted: total - stored, Updated: changed, Unchanged: stored - changed}, err
}

// incoming is a batch that statements read as the view incoming, with each of its
// rows numbered by nth.
type incoming struct {
	conn   *sql.Conn
	tx     *sql.Tx
	record arrow.RecordBatch
}

const nth = "nth"

func newIncoming(conn *sql.Conn, tx *sql.Tx, record arrow.RecordBatch) incoming {
	builder := array.NewInt32Builder(memory.DefaultAllocator)
	defer builder.Release()
	builder.Reserve(int(record.NumRows()))
	for n := range record.NumRows() {
		builder.UnsafeAppend(int32(n))
	}
	numbers := builder.NewArray()
	defer numbers.Release()
	fields := append(slices.Clone(record.Schema().Fields()), arrow.Field{Name: nth, Type: arrow.PrimitiveTypes.Int32})
	columns := append(slices.Clone(record.Columns()), numbers)
	return incoming{conn, tx, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, record.NumRows())}
}

func (i incoming) release() { i.record.Release() }

// only are some columns of the batch. The caller releases it.
func (i incoming) only(keep func(column string) bool) incoming {
	var fields []arrow.Field
	var columns []arrow.Array
	for n, field := range i.record.Schema().Fields() {
		if keep(field.Name) {
			fields, columns = append(fields, field), append(columns, i.record.Column(n))
		}
	}
	return incoming{i.conn, i.tx, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, i.record.NumRows())}
}

// exec runs a statement that reads incoming once, and every column of it.
func (i incoming) exec(ctx context.Context, statement string, arguments ...any) error {
	return duckdb.WithView(i.conn, i.record, func() error {
		if _, err := i.tx.ExecContext(ctx, statement, arguments...); err != nil {
			return err
		}
		return duckdb.Execute(ctx, i.tx, "DROP VIEW incoming")
	})
}

// statements is the SQL of a commit.
type statements struct{ *schema.Table }

// compare counts the rows of the batch that are stored already, and those of them that
// changed. They are listed in the temporary table stored if there are any. In a backfill
// there are none.
func (s statements) compare(ctx context.Context, i incoming, rows Rows) (stored, changed int64, err error) {
	within := within("t."+schema.Ident(s.Time), s.spans(rows))
	if rows.Seen.IsZero() {
		err := i.tx.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s t WHERE %s", schema.Ident(s.Name), within)).Scan(&stored)
		if err != nil || stored == 0 {
			return 0, 0, err
		}
	}
	if err := i.exec(ctx, s.find(rows.Seen, within)); err != nil {
		return 0, 0, err
	}
	return s.count(ctx, i.tx)
}

// find lists in the temporary table stored the rows of the batch that are stored
// already within the batch's own time, and whether they changed.
func (s statements) find(seen time.Time, within string) string {
	name, at := schema.Ident(s.Name), "t."+schema.Ident(s.Time)
	stored := fmt.Sprintf("(SELECT *, rowid AS stored_row FROM %s t WHERE %s)", name, within)
	changed := fmt.Sprintf("(%s)", duckdb.Differs(s.Table))
	if _, ok := s.Column("closed"); ok {
		// A closed bucket is not replaced by a part of itself.
		changed += " AND NOT (t.closed AND NOT i.closed)"
	}
	if seen.IsZero() {
		return fmt.Sprintf("CREATE TEMP TABLE stored AS SELECT i.nth, t.stored_row, %s AS stored_time, %s AS changed FROM incoming i JOIN %s t ON %s",
			at, changed, stored, duckdb.SameKey(s.Table, "i", "t"))
	}
	// A row is not replaced by an older version, wherever it is stored.
	later := fmt.Sprintf("(SELECT %s, max(_last_changed_at) AS latest FROM %s GROUP BY ALL)", duckdb.KeyNames(s.Table), name)
	return fmt.Sprintf(`CREATE TEMP TABLE stored AS
		SELECT i.nth, t.stored_row, %[1]s AS stored_time, t.stored_row IS NOT NULL AND %[2]s AND v.latest < %[3]s AS changed
		FROM incoming i LEFT JOIN %[4]s t ON %[5]s LEFT JOIN %[6]s v ON %[7]s
		WHERE t.stored_row IS NOT NULL OR v.latest >= %[3]s`,
		at, changed, instantOf(seen.UnixMicro()), stored, duckdb.SameKey(s.Table, "i", "t"), later, duckdb.SameKey(s.Table, "i", "v"))
}

// span is a range of time in microseconds, both ends included.
type span struct{ from, to int64 }

// spans are the ranges of time of a batch. The rows of a large one come from several parts
// of a backfill: it is split at every gap of more than a 64th of the whole.
func (s statements) spans(rows Rows) []span {
	const large = 2048
	whole := span{rows.Oldest.UnixMicro(), rows.Newest.UnixMicro()}
	if rows.Record.NumRows() < large {
		return []span{whole}
	}
	times := slices.Clone(rows.Record.Column(rows.Record.Schema().FieldIndices(s.Time)[0]).(*array.Timestamp).Values())
	slices.Sort(times)
	spans := []span{{int64(times[0]), int64(times[0])}}
	for _, t := range times {
		if last := &spans[len(spans)-1]; int64(t)-last.to > (whole.to-whole.from)/64 {
			spans = append(spans, span{int64(t), int64(t)})
		} else {
			last.to = int64(t)
		}
	}
	return spans
}

func within(column string, spans []span) string {
	terms := make([]string, len(spans))
	for i, s := range spans {
		terms[i] = fmt.Sprintf("%s BETWEEN %s AND %s", column, instantOf(s.from), instantOf(s.to))
	}
	// The outer bounds alone already rule most of the table out.
	outer := fmt.Sprintf("%s BETWEEN %s AND %s", column, instantOf(spans[0].from), instantOf(spans[len(spans)-1].to))
	return outer + " AND (" + strings.Join(terms, " OR ") + ")"
}

// instantOf is the SQL of a time.
func instantOf(micros int64) string { return fmt.Sprintf("make_timestamptz(%d)", micros) }

// count counts the rows of the batch that are stored, and those of them that changed.
// Before Dedupe an id may be stored twice, and match twice: then one of the two takes the
// new version, and Dedupe drops the other.
func (s statements) count(ctx context.Context, tx *sql.Tx) (stored, changed int64, err error) {
	var matches int64
	const count = "SELECT count(*), count(DISTINCT nth), count(*) FILTER (changed) FROM temp.stored"
	if err := tx.QueryRowContext(ctx, count).Scan(&matches, &stored, &changed); err != nil || matches == stored {
		return stored, changed, err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM temp.stored WHERE rowid NOT IN (SELECT min(rowid) FROM temp.stored GROUP BY nth)")
	if err != nil {
		return 0, 0, err
	}
	return stored, changed, tx.QueryRowContext(ctx, count).Scan(&matches, &stored, &changed)
}

// replace writes the new version of the rows that changed.
func (s statements) replace(ctx context.Context, i incoming, runID string, at time.Time) error {
	err := i.exec(ctx, `CREATE TEMP TABLE delta AS
		SELECT i.*, h.stored_row, h.stored_time FROM incoming i JOIN (FROM temp.stored WHERE changed) h USING (nth)`)
	if err != nil {
		return err
	}
	if _, err := i.tx.ExecContext(ctx, s.update(), runID, at); err != nil {
		return err
	}
	_, err = i.tx.ExecContext(ctx, "DROP TABLE temp.delta")
	return err
}

func (s statements) update() string {
	var set []string
	for _, c := range s.Compared() {
		set = append(set, fmt.Sprintf("%[1]s = d.%[1]s", schema.Ident(c.Name)))
	}
	if c := s.PartitionColumn(); c != nil {
		set = append(set, schema.Ident(c.Name)+" = "+s.PartitionValue("d."+schema.Ident(s.Time)))
	}
	set = append(set, "_run_id = ?")
	if _, ok := s.Column("_last_changed_at"); ok {
		set = append(set, "_last_changed_at = ?")
	}
	return fmt.Sprintf("UPDATE %s t SET %s FROM temp.delta d WHERE t.rowid = d.stored_row AND t.%s = d.stored_time",
		schema.Ident(s.Name), strings.Join(set, ", "), schema.Ident(s.Time))
}

// insert adds the rows that are not stored.
func (s statements) insert(ctx context.Context, i incoming, stored int64, runID string, at time.Time) error {
	var names, values []string
	var arguments []any
	for _, c := range s.Columns {
		names = append(names, schema.Ident(c.Name))
		switch {
		case c.Origin != schema.Bookkeeping:
			values = append(values, schema.Ident(c.Name))
		case c.Type == schema.Timestamp:
			values, arguments = append(values, "?"), append(arguments, at)
		default:
			values, arguments = append(values, "?"), append(arguments, runID)
		}
	}
	if c := s.PartitionColumn(); c != nil {
		names, values = append(names, schema.Ident(c.Name)), append(values, s.PartitionValue(schema.Ident(s.Time)))
	}
	statement := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM incoming",
		schema.Ident(s.Name), strings.Join(names, ", "), strings.Join(values, ", "))
	if stored > 0 {
		return i.exec(ctx, statement+" ANTI JOIN temp.stored USING (nth)", arguments...)
	}
	i = i.only(func(column string) bool { return column != nth })
	defer i.release()
	return i.exec(ctx, statement, arguments...)
}

// listTouched lists the partitions that get rows of the batch, or lose them, as
// changed, each once.
func (s statements) listTouched(ctx context.Context, i incoming, stored int64) error {
	if s.Partition == schema.Unpartitioned {
		return nil
	}
	i = i.only(func(column string) bool { return column == s.Time || column == nth && stored > 0 })
	defer i.release()
	starts := fmt.Sprintf("SELECT %s AS start FROM incoming", duckdb.PartitionStart(s.Table, schema.Ident(s.Time)))
	if stored > 0 {
		starts += fmt.Sprintf(` ANTI JOIN (SELECT nth FROM temp.stored WHERE NOT changed) USING (nth)
			UNION ALL SELECT %s FROM temp.stored WHERE changed`, duckdb.PartitionStart(s.Table, "stored_time"))
	}
	return i.exec(ctx, fmt.Sprintf(`INSERT INTO internal.changed_partitions SELECT DISTINCT $1, start FROM (%s)
		WHERE start NOT IN (SELECT partition_start FROM internal.changed_partitions WHERE table_name = $1)`, starts), s.Name)
}

// listRun lists the run for Dedupe, unless the time is part of the key: then no row can
// move.
func (s statements) listRun(ctx context.Context, tx *sql.Tx, runID string) error {
	if !s.canMove() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO internal.unsettled
		SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM internal.unsettled WHERE stream = ? AND run_id = ?)`,
		s.Name, runID, s.Name, runID)
	return err
}
