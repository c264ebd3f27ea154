package load

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// refilling is the key in internal.meta of the tables whose rows may have fields in extra
// that have a column now: a release added columns, or the warehouse was rebuilt from files
// that lacked some.
const refilling = "refill"

// refillBatch is how many rows Refill gives at once: few enough for texts of 100 kB.
const refillBatch = 512

// listRefill lists a table for Refill, if it keeps unknown fields.
func listRefill(ctx context.Context, tx *sql.Tx, table *schema.Table) error {
	if extraOf(table) == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES (?, ?)", refilling, table.Name)
	return err
}

// extraOf is the column that keeps a table's unknown fields, or "".
func extraOf(table *schema.Table) string {
	for _, c := range table.Columns {
		if c.Origin == schema.Unknown {
			return schema.Ident(c.Name)
		}
	}
	return ""
}

// Refill moves fields from extra to the columns that a release added for them. It gives
// convert the values of the columns of Table.Batch, in its order, of at most 512 rows of a
// partition, and commits the rows that it returns, with no Record if none of them can be converted. After a crash
// the next call goes on: a row that was converted has no such field any more. It returns how
// many rows changed.
func (w *Warehouse) Refill(ctx context.Context, runID string, convert func(table *schema.Table, rows [][]any) (Rows, error)) (changed int64, err error) {
	for _, table := range schema.Tables() {
		listed := false
		err := w.conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM internal.meta WHERE key = ? AND value = ?", refilling, table.Name).Scan(&listed)
		if err != nil {
			return changed, duckdb.Wrap("read warehouse", err)
		}
		if !listed {
			continue
		}
		rows, err := w.refill(ctx, runID, table, convert)
		changed += rows
		if err != nil {
			return changed, err
		}
		if _, err := w.conn.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = ? AND value = ?", refilling, table.Name); err != nil {
			return changed, duckdb.Wrap("fill columns", err)
		}
	}
	return changed, nil
}

func (w *Warehouse) refill(ctx context.Context, runID string, table *schema.Table, convert func(*schema.Table, [][]any) (Rows, error)) (changed int64, err error) {
	partitions, err := w.times(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE %s ORDER BY 1",
		duckdb.PartitionStart(table, schema.Ident(table.Time)), schema.Ident(table.Name), hasColumnInExtra(table)))
	if err != nil {
		return 0, err
	}
	for _, start := range partitions {
		for last := int64(-1); ; {
			var found [][]any
			if found, last, err = w.rowsToRefill(ctx, table, start, last); err != nil || len(found) == 0 {
				break
			}
			rows, err := convert(table, found)
			if err != nil {
				return changed, err
			}
			if rows.Record == nil {
				continue
			}
			counts, err := w.Commit(ctx, Commit{RunID: runID, Stream: table.Name, Rows: []Rows{rows}})
			rows.Record.Release()
			if err != nil {
				return changed, err
			}
			changed += counts.Updated
		}
		if err != nil {
			return changed, duckdb.Wrap("read warehouse", err)
		}
	}
	return changed, nil
}

// hasColumnInExtra is the condition that a row may have a field in extra that has a column.
func hasColumnInExtra(table *schema.Table) string {
	var names []string
	for _, c := range table.Batch() {
		if c.Origin == schema.FromRecord && c.API != "" {
			names = append(names, regexp.QuoteMeta(c.API))
		}
	}
	return fmt.Sprintf("regexp_matches(%s::VARCHAR, %s)", extraOf(table), schema.Literal(`"(`+strings.Join(names, "|")+`)":`))
}

// rowsToRefill reads the next rows of a partition after the row with the id last.
func (w *Warehouse) rowsToRefill(ctx context.Context, table *schema.Table, start time.Time, last int64) (found [][]any, end int64, err error) {
	columns := table.Batch()
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = schema.Ident(c.Name)
		if c.Type == schema.JSON {
			names[i] += "::VARCHAR"
		}
	}
	rows, err := w.conn.QueryContext(ctx, fmt.Sprintf("SELECT rowid, %s FROM %s WHERE %s = ? AND rowid > ? AND %s ORDER BY rowid LIMIT %d",
		strings.Join(names, ", "), schema.Ident(table.Name), duckdb.PartitionStart(table, schema.Ident(table.Time)), hasColumnInExtra(table), refillBatch), start, last)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values := make([]any, len(columns))
		targets := []any{&end}
		for i := range values {
			targets = append(targets, &values[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, 0, err
		}
		found = append(found, values)
	}
	return found, end, rows.Err()
}
