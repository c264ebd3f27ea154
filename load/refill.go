package load

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// refillBatch is how many rows Refill gives at once: few enough for texts of 100 kB.
const refillBatch = 512

// Refill moves fields from extra to the columns that a release added for them. It gives
// convert the values of the columns of Table.Batch, in its order, of at most 512 rows of a
// partition, and commits the rows that it returns, with no Record if none of them can be converted. After a crash
// the next call goes on: a row that was converted has no such field any more. It returns how
// many rows changed.
func (w *Warehouse) Refill(ctx context.Context, runID string, convert func(table *schema.Table, rows [][]any) (Rows, error)) (changed int64, err error) {
	listed, err := layout.Meta(ctx, w.conn, layout.Refill)
	if err != nil {
		return 0, duckdb.Wrap("read warehouse", err)
	}
	for _, table := range schema.Tables() {
		if !slices.Contains(listed, table.Name) {
			continue
		}
		rows, err := w.refill(ctx, runID, table, convert)
		changed += rows
		if err != nil {
			return changed, err
		}
		if _, err := w.conn.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = ? AND value = ?", layout.Refill, table.Name); err != nil {
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
	return fmt.Sprintf("regexp_matches(%s::VARCHAR, %s)", layout.ExtraOf(table), schema.Literal(`"(`+strings.Join(names, "|")+`)":`))
}

// rowsToRefill reads the next rows of a partition after the row with the id last.
func (w *Warehouse) rowsToRefill(ctx context.Context, table *schema.Table, start time.Time, last int64) (found [][]any, end int64, err error) {
	columns := table.Batch()
	names := duckdb.List(columns, func(c schema.Column) string {
		if c.Type == schema.JSON {
			return schema.Ident(c.Name) + "::VARCHAR"
		}
		return schema.Ident(c.Name)
	})
	type row struct {
		id     int64
		values []any
	}
	rows, err := duckdb.ReadRows(ctx, w.conn, func(r *row) []any {
		r.values = make([]any, len(columns))
		targets := []any{&r.id}
		for i := range r.values {
			targets = append(targets, &r.values[i])
		}
		return targets
	}, fmt.Sprintf("SELECT rowid, %s FROM %s WHERE %s = ? AND rowid > ? AND %s ORDER BY rowid LIMIT %d",
		names, schema.Ident(table.Name), duckdb.PartitionStart(table, schema.Ident(table.Time)), hasColumnInExtra(table), refillBatch), start, last)
	for _, r := range rows {
		found, end = append(found, r.values), r.id
	}
	return found, end, err
}
