package rewrite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// table is a table of the old file, of package schema or private.
type table struct {
	duckdb.Stored
	name     string        // as in Changes
	declared *schema.Table // nil for a private one
	files    []string      // its rows that stay, as Parquet
	touched  []time.Time   // partitions of rows that are left out or changed
}

// readTables writes the rows that stay to Parquet files.
func (r *rewriting) readTables(ctx context.Context, tx *sql.Tx) error {
	var err error
	if r.tables, err = storedTables(ctx, tx); err != nil {
		return err
	}
	if err := r.check(r.tables); err != nil {
		return err
	}
	if r.Before != nil {
		if err := r.Before(ctx, tx); err != nil {
			return err
		}
	}
	for _, t := range r.tables {
		if err := r.readTable(ctx, tx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// storedTables lists all tables of the old file.
func storedTables(ctx context.Context, tx *sql.Tx) (tables []*table, err error) {
	stored, err := duckdb.TablesIn(ctx, tx, schema.Literal(Old))
	for _, s := range stored {
		t := &table{Stored: s, name: s.Name, declared: schema.ByName(s.Name)}
		if s.Schema != "main" {
			t.name, t.declared = s.Schema+"."+s.Name, nil
		}
		tables = append(tables, t)
	}
	return tables, err
}

// readTable writes the rows of a table that stay, with their new values, in their order.
func (r *rewriting) readTable(ctx context.Context, tx *sql.Tx, t *table) error {
	cuts, err := t.cuts(ctx, tx)
	if err != nil {
		return err
	}
	var stored, removed, copied int64
	if err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s.%s", Old, t.Path())).Scan(&stored); err != nil {
		return err
	}
	for i, from := range cuts {
		rows := "true"
		if len(cuts) > 1 {
			rows = fmt.Sprintf("rowid >= %d", from)
		}
		if i+1 < len(cuts) {
			rows += fmt.Sprintf(" AND rowid < %d", cuts[i+1])
		}
		left, err := r.count(ctx, tx, t, rows)
		if err != nil {
			return err
		}
		file := filepath.Join(r.folder, fmt.Sprintf("%s-%d.parquet", t.name, i))
		written, err := r.copyRows(ctx, tx, t, rows, file)
		if err != nil {
			return err
		}
		t.files = append(t.files, file)
		removed, copied = removed+left, copied+written
	}
	if copied != stored-removed {
		return fmt.Errorf("%d rows were copied, not %d: an expression does not give the same result each time", copied, stored-removed)
	}
	return nil
}

// copyRows writes some rows of a table to a file. The groups of rows are small, since DuckDB
// keeps one in memory.
func (r *rewriting) copyRows(ctx context.Context, tx *sql.Tx, t *table, rows, file string) (copied int64, err error) {
	values := duckdb.List(t.Columns, func(column string) string {
		value := schema.Ident(column)
		if expression, ok := r.Columns[t.name][column]; ok {
			value = t.newValue(column, expression)
		}
		if t.Types[column] == schema.JSON.DuckDB() {
			value += "::VARCHAR"
		}
		return value + " AS " + schema.Ident(column)
	})
	result, err := tx.ExecContext(ctx, fmt.Sprintf(`COPY (SELECT %s FROM %s.%s WHERE %s AND %s)
		TO %s (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 2048, WRITE_BLOOM_FILTER false)`,
		values, Old, t.Path(), rows, r.stays(t), schema.Literal(file)))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// mostText is how much text is read at once. A function's results take as much, and if
// DuckDB lacked memory for them, it would end the process.
const mostText = 8 << 20

// cuts are the rows at which a table is cut to be read in parts: the first one, and others
// where 2,048 rows, which DuckDB reads at once, have more text than that.
func (t *table) cuts(ctx context.Context, tx *sql.Tx) ([]int64, error) {
	bytes := "0"
	for _, column := range t.Columns {
		if kind := t.Types[column]; kind == schema.Text.DuckDB() || kind == schema.JSON.DuckDB() {
			bytes += fmt.Sprintf(" + coalesce(strlen(%s::VARCHAR), 0)", schema.Ident(column))
		}
	}
	return duckdb.ReadColumn[int64](ctx, tx, fmt.Sprintf(`WITH sized AS NOT MATERIALIZED (SELECT rowid AS nth, rowid // 2048 AS vector, %s AS bytes FROM %s.%s),
		large AS (SELECT vector FROM sized GROUP BY vector HAVING sum(bytes) > %d),
		parts AS (SELECT nth, vector, sum(bytes) OVER (PARTITION BY vector ORDER BY nth) // %[4]d AS part FROM sized SEMI JOIN large USING (vector))
		SELECT 0::BIGINT UNION SELECT min(nth) FROM parts GROUP BY vector, part UNION SELECT (vector + 1) * 2048 FROM large ORDER BY 1`,
		bytes, Old, t.Path(), mostText))
}

// stays is the condition that a row stays.
func (r *rewriting) stays(t *table) string {
	if condition, ok := r.Where[t.name]; ok {
		return "coalesce((" + condition + "), false)"
	}
	return "true"
}

func (t *table) newValue(column, expression string) string {
	return fmt.Sprintf("CAST((%s) AS %s)", expression, t.Types[column])
}

// count counts, of some rows of a table, those of each partition that are left out or changed.
func (r *rewriting) count(ctx context.Context, tx *sql.Tx, t *table, among string) (removed int64, err error) {
	changed := []string{"false"}
	for _, column := range t.Columns {
		if expression, ok := r.Columns[t.name][column]; ok { // as text: a JSON that changed its notation changed
			changed = append(changed, fmt.Sprintf("%s::VARCHAR IS DISTINCT FROM %s::VARCHAR", t.newValue(column, expression), schema.Ident(column)))
		}
	}
	if _, ok := r.Where[t.name]; !ok && len(changed) == 1 {
		return 0, nil
	}
	start := "NULL"
	if t.declared != nil && t.declared.Partition != schema.Unpartitioned {
		start = duckdb.PartitionStart(t.declared, schema.Ident(t.declared.Time))
	}
	type counted struct {
		start       sql.NullTime
		left, other int64
	}
	partitions, err := duckdb.ReadRows(ctx, tx, func(c *counted) []any { return []any{&c.start, &c.left, &c.other} },
		fmt.Sprintf(`SELECT rewritten_start::TIMESTAMPTZ, count(*) FILTER (NOT rewritten_stays) AS rewritten_left, count(*) FILTER (rewritten_changed) AS rewritten_other
		FROM (SELECT %[1]s AS rewritten_start, %[2]s AS rewritten_stays, CASE WHEN %[2]s THEN %[3]s ELSE false END AS rewritten_changed FROM %[4]s.%[5]s WHERE %[6]s)
		GROUP BY rewritten_start HAVING rewritten_left + rewritten_other > 0`,
			start, r.stays(t), strings.Join(changed, " OR "), Old, t.Path(), among))
	for _, p := range partitions {
		removed += p.left
		if p.left > 0 {
			r.done.Removed[t.name] += p.left
		}
		if p.other > 0 {
			r.done.Changed[t.name] += p.other
		}
		if p.start.Valid {
			t.touched = append(t.touched, p.start.Time)
		}
	}
	return removed, err
}

// check refuses a table or a column that is not there, or cannot be changed.
func (r *rewriting) check(tables []*table) error {
	known := map[string]*table{}
	for _, t := range tables {
		known[t.name] = t
	}
	for name := range r.Where {
		if known[name] == nil {
			return fmt.Errorf("there is no table %s", name)
		}
	}
	for name, columns := range r.Columns {
		t := known[name]
		if t == nil {
			return fmt.Errorf("there is no table %s", name)
		}
		for column := range columns {
			if t.Types[column] == "" || t.dates(column) {
				return fmt.Errorf("%s of %s cannot be changed", column, name)
			}
		}
	}
	return nil
}

// dates reports whether the partition of a row follows from the column.
func (t *table) dates(column string) bool {
	if t.declared == nil {
		return false
	}
	partition := t.declared.PartitionColumn()
	return column == t.declared.Time || (partition != nil && column == partition.Name)
}
