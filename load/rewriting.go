package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// rewriting is a Rewrite in progress.
type rewriting struct {
	*Warehouse
	Rewriting
	tables []*storedTable
	done   Rewritten
}

// storedTable is a table of the old file, of package schema or private.
type storedTable struct {
	name     string // as in a Rewriting
	path     string // as SQL, without the database
	columns  []string
	types    map[string]string
	declared *schema.Table // nil for a private one
	files    []string      // its rows that stay, as Parquet
	touched  []time.Time   // partitions of rows that are left out or changed
}

// rowsFolder has the rows of a rewriting between the two sessions.
func (w *Warehouse) rowsFolder() string { return w.path + unfinished + ".rows" }

// makeAnew makes the new file under its temporary name.
//
// DuckDB does not clear its memory before it uses it for a block, and writes the parts of a
// block that it does not need as they are: a session that has read the old file would write
// parts of it to the new one. So one session reads, and writes what stays as Parquet, which
// has no unused parts. Closing it returns its memory to the system. A second one, which
// sees no other rows, writes the new file (ADR 33).
func (r *rewriting) makeAnew(ctx context.Context) error {
	_ = r.disconnect() // after a failure, from which its error would follow
	if err := r.removeUnfinished(); err != nil {
		return err
	}
	r.tables, r.done = nil, Rewritten{Removed: map[string]int64{}, Changed: map[string]int64{}}
	folder, err := filepath.Abs(r.rowsFolder())
	if err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	session := r.session()
	session.Folder = folder + string(filepath.Separator)
	if err := r.read(ctx, session); err != nil {
		return err
	}
	if err := r.write(ctx, session); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(folder), os.Chmod(r.path+unfinished, 0o640))
}

// read writes the rows that stay to Parquet files.
func (r *rewriting) read(ctx context.Context, session duckdb.Session) error {
	path, err := filepath.Abs(r.path)
	if err != nil {
		return err
	}
	session.Attach = map[string]string{former: path}
	if err := r.connectWith(ctx, "", session); err != nil {
		return err
	}
	for name, f := range r.Functions {
		if err := duckdb.RegisterFunction(r.conn, name, f.Arguments, f.Call); err != nil {
			return err
		}
	}
	err = r.transact(ctx, "read warehouse", func(tx *sql.Tx) error { return r.readTables(ctx, tx, session.Folder) })
	return errors.Join(err, r.disconnect())
}

func (r *rewriting) readTables(ctx context.Context, tx *sql.Tx, folder string) error {
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
		if err := r.readTable(ctx, tx, t, folder); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// storedTables lists all tables of the old file.
func storedTables(ctx context.Context, tx *sql.Tx) (tables []*storedTable, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
		WHERE database_name = $1 AND (schema_name, table_name) IN (SELECT (schema_name, table_name) FROM duckdb_tables() WHERE database_name = $1)
		ORDER BY schema_name, table_oid, column_index`, former)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var in, table, column, kind string
		if err := rows.Scan(&in, &table, &column, &kind); err != nil {
			return nil, err
		}
		path := schema.Ident(in) + "." + schema.Ident(table)
		if len(tables) == 0 || tables[len(tables)-1].path != path {
			next := &storedTable{name: table, path: path, types: map[string]string{}}
			if next.declared = schema.ByName(table); in != "main" {
				next.name, next.declared = in+"."+table, nil
			}
			tables = append(tables, next)
		}
		t := tables[len(tables)-1]
		t.columns, t.types[column] = append(t.columns, column), kind
	}
	return tables, rows.Err()
}

// readTable writes the rows of a table that stay, with their new values, in their order.
func (r *rewriting) readTable(ctx context.Context, tx *sql.Tx, t *storedTable, folder string) error {
	cuts, err := t.cuts(ctx, tx)
	if err != nil {
		return err
	}
	var stored, removed, copied int64
	if err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s.%s", former, t.path)).Scan(&stored); err != nil {
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
		file := filepath.Join(folder, fmt.Sprintf("%s-%d.parquet", t.name, i))
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
func (r *rewriting) copyRows(ctx context.Context, tx *sql.Tx, t *storedTable, rows, file string) (copied int64, err error) {
	values := make([]string, len(t.columns))
	for i, column := range t.columns {
		values[i] = schema.Ident(column)
		if expression, ok := r.Columns[t.name][column]; ok {
			values[i] = t.newValue(column, expression)
		}
		if t.types[column] == schema.JSON.DuckDB() {
			values[i] += "::VARCHAR"
		}
		values[i] += " AS " + schema.Ident(column)
	}
	result, err := tx.ExecContext(ctx, fmt.Sprintf(`COPY (SELECT %s FROM %s.%s WHERE %s AND %s)
		TO %s (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 2048, WRITE_BLOOM_FILTER false)`,
		strings.Join(values, ", "), former, t.path, rows, r.stays(t), schema.Literal(file)))
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
func (t *storedTable) cuts(ctx context.Context, tx *sql.Tx) ([]int64, error) {
	parts, err := t.textOf(ctx, tx, "SELECT min(rowid), sum(%s)::BIGINT FROM %s GROUP BY rowid // 2048 ORDER BY 1")
	if err != nil {
		return nil, err
	}
	cuts, whole := []int64{0}, true
	for _, part := range parts {
		if part.bytes <= mostText {
			if !whole {
				cuts, whole = append(cuts, part.row), true
			}
			continue
		}
		rows, err := t.textOf(ctx, tx, fmt.Sprintf("SELECT rowid, %%s FROM %%s WHERE rowid // 2048 = %d ORDER BY 1", part.row/2048))
		if err != nil {
			return nil, err
		}
		filled := int64(mostText)
		for _, row := range rows {
			if filled += row.bytes; filled > mostText && row.row > 0 {
				cuts, filled = append(cuts, row.row), row.bytes
			}
		}
		whole = false
	}
	return cuts, nil
}

// rowText is how much text a row has, or some rows from this one on.
type rowText struct{ row, bytes int64 }

func (t *storedTable) textOf(ctx context.Context, tx *sql.Tx, query string) (all []rowText, err error) {
	bytes := "0"
	for _, column := range t.columns {
		if kind := t.types[column]; kind == schema.Text.DuckDB() || kind == schema.JSON.DuckDB() {
			bytes += fmt.Sprintf(" + coalesce(strlen(%s::VARCHAR), 0)", schema.Ident(column))
		}
	}
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(query, bytes, former+"."+t.path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r rowText
		if err := rows.Scan(&r.row, &r.bytes); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// stays is the condition that a row stays.
func (r Rewriting) stays(t *storedTable) string {
	if condition, ok := r.Where[t.name]; ok {
		return "coalesce((" + condition + "), false)"
	}
	return "true"
}

func (t *storedTable) newValue(column, expression string) string {
	return fmt.Sprintf("CAST((%s) AS %s)", expression, t.types[column])
}

// count counts, of some rows of a table, those of each partition that are left out or changed.
func (r *rewriting) count(ctx context.Context, tx *sql.Tx, t *storedTable, among string) (removed int64, err error) {
	changed := []string{"false"}
	for _, column := range t.columns {
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
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`SELECT rewritten_start::TIMESTAMPTZ, count(*) FILTER (NOT rewritten_stays) AS rewritten_left, count(*) FILTER (rewritten_changed) AS rewritten_other
		FROM (SELECT %[1]s AS rewritten_start, %[2]s AS rewritten_stays, CASE WHEN %[2]s THEN %[3]s ELSE false END AS rewritten_changed FROM %[4]s.%[5]s WHERE %[6]s)
		GROUP BY rewritten_start HAVING rewritten_left + rewritten_other > 0`,
		start, r.stays(t), strings.Join(changed, " OR "), former, t.path, among))
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var start sql.NullTime
		var left, other int64
		if err := rows.Scan(&start, &left, &other); err != nil {
			return 0, err
		}
		removed += left
		if left > 0 {
			r.done.Removed[t.name] += left
		}
		if other > 0 {
			r.done.Changed[t.name] += other
		}
		if start.Valid {
			t.touched = append(t.touched, start.Time)
		}
	}
	return removed, rows.Err()
}

// write makes the new file.
func (r *rewriting) write(ctx context.Context, session duckdb.Session) error {
	if err := r.connectWith(ctx, r.path+unfinished, session); err != nil {
		return err
	}
	err := r.transact(ctx, "rewrite warehouse", func(tx *sql.Tx) error { return r.writeTables(ctx, tx) })
	if err == nil {
		_, err = r.conn.ExecContext(ctx, "CHECKPOINT")
	}
	return errors.Join(err, r.disconnect())
}

func (r *rewriting) writeTables(ctx context.Context, tx *sql.Tx) error {
	statements := append(layout(), derived.ViewStatements()...)
	statements = append(statements, "DELETE FROM internal.meta") // the old file has what making the views wrote
	for _, t := range r.tables {
		names := make([]string, len(t.columns))
		for i, column := range t.columns {
			names[i] = schema.Ident(column)
		}
		for _, file := range t.files {
			statements = append(statements, fmt.Sprintf("INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM read_parquet(%[3]s, hive_partitioning = false)",
				t.path, strings.Join(names, ", "), schema.Literal(file)))
		}
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for _, t := range r.tables {
		for _, start := range t.touched {
			if err := listChanged(ctx, tx, t.name, start); err != nil {
				return err
			}
		}
	}
	if r.Then != nil {
		return r.Then(ctx, tx)
	}
	return nil
}
