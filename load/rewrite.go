package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// former is the name of the old file in the queries of a rewriting.
const former = "old"

// Function is a scalar SQL function over texts that a Rewriting may use; a nil is NULL. Its
// result must depend on its arguments only: it is called more or less than once a row. One
// goroutine at a time calls it.
type Function struct {
	Arguments int
	Call      func(arguments []*string) *string
}

// Rewriting says what the new file has that the old one does not. A table is named as in
// package schema, a private one as internal.NAME. Expressions are SQL over the columns of
// the old row; they must give the same result each time, and may read what Before made.
type Rewriting struct {
	// Functions are known to SQL by their name, in this rewriting only.
	Functions map[string]Function
	// Where is by table the condition that a row must meet to stay. A row for which it is
	// NULL does not stay. A table that is not named keeps all rows.
	Where map[string]string
	// Columns is by table and column the expression of the new value. The column that dates
	// a row, and the partition column that follows from it, cannot be changed.
	Columns map[string]map[string]string
	// Before runs first, for temporary tables that Where and Columns read. It may read the
	// old tables as old.main.NAME and old.internal.NAME. Nil: nothing.
	Before func(ctx context.Context, tx *sql.Tx) error
	// Then runs last in the transaction that fills the new file. Nil: nothing.
	Then func(ctx context.Context, tx *sql.Tx) error
}

// Rewritten is what a Rewrite did, in rows by table. A changed row has another value in a
// column that was named; tables without such a row are not listed.
type Rewritten struct{ Removed, Changed map[string]int64 }

// Rewrite makes the private file anew: what is left out or changed is in no byte of the new
// one, while DELETE and UPDATE would leave it in free blocks. Rows keep their order and
// every column that is not named. The partitions of rows that are left out or changed are
// listed as changed, and Unpublished marks that the published files are older. Derived
// tables are copied like others: whoever removes a value from the rows of the source names
// the derived tables that have it too, since Derive deletes their rows in place.
//
// The new file is written beside the old one and renamed over it when it is complete, so
// that a crash leaves one or the other. The warehouse is closed meanwhile, with its lock
// held, and open again afterwards. After an error it is open with the old file, unless the
// folder could not be fsynced after the rename. If memory did not suffice, everything is
// done once more, Before and Then included.
func (w *Warehouse) Rewrite(ctx context.Context, r Rewriting) (Rewritten, error) {
	done, err := w.rewrite(ctx, r)
	if err != nil {
		err = errors.Join(err, w.disconnect(), w.removeUnfinished())
		done = Rewritten{}
	}
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	err = duckdb.Wrap("rewrite warehouse", err)
	return done, errors.Join(err, duckdb.Wrap("open warehouse again", w.Reopen(context.WithoutCancel(ctx))))
}

func (w *Warehouse) rewrite(ctx context.Context, r Rewriting) (done Rewritten, err error) {
	if err := w.checkSpaceToRewrite(); err != nil {
		return Rewritten{}, err
	}
	if err := w.CloseFile(ctx); err != nil {
		return Rewritten{}, err
	}
	for done, err = w.makeAnew(ctx, r); w.memory.GrowAfter(err); {
		done, err = w.makeAnew(ctx, r)
	}
	if err != nil {
		return Rewritten{}, err
	}
	if _, err := Inspect(ctx, w.path+unfinished); err != nil {
		return Rewritten{}, err
	}
	if err := errors.Join(w.removeEmptyLog(), w.markUnpublished()); err != nil {
		return Rewritten{}, err
	}
	return done, durable.Install(w.path+unfinished, w.path)
}

// checkSpaceToRewrite checks that there is space for a second file.
func (w *Warehouse) checkSpaceToRewrite() error {
	info, err := os.Lstat(w.path)
	if err != nil {
		return err
	}
	return trySpace(filepath.Dir(w.path), leastSpace+uint64(info.Size()))
}

// removeEmptyLog makes sure that the closed file has no log: it would be applied to the new
// one.
func (w *Warehouse) removeEmptyLog() error {
	for _, suffix := range []string{".wal", ".wal.checkpoint", ".wal.recovery"} {
		info, err := os.Lstat(w.path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Size() > 0 {
			err = fmt.Errorf("%s was not closed: it has a write-ahead log", filepath.Base(w.path))
		}
		if err == nil {
			err = removeFile(w.path + suffix)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeAnew makes the new file under its temporary name.
func (w *Warehouse) makeAnew(ctx context.Context, r Rewriting) (done Rewritten, err error) {
	_ = w.disconnect() // after a failure, from which its error would follow
	if err := w.removeUnfinished(); err != nil {
		return Rewritten{}, err
	}
	session := w.session()
	path, err := filepath.Abs(w.path)
	if err != nil {
		return Rewritten{}, err
	}
	session.Attach = map[string]string{former: path}
	if err := w.connectWith(ctx, w.path+unfinished, session); err != nil {
		return Rewritten{}, err
	}
	for name, f := range r.Functions {
		if err := duckdb.RegisterFunction(w.conn, name, f.Arguments, f.Call); err != nil {
			return Rewritten{}, err
		}
	}
	err = w.transact(ctx, "rewrite warehouse", func(tx *sql.Tx) (err error) {
		done, err = r.run(ctx, tx)
		return err
	})
	if err == nil {
		_, err = w.conn.ExecContext(ctx, "CHECKPOINT")
	}
	return done, errors.Join(err, w.disconnect(), os.Chmod(w.path+unfinished, 0o640))
}

// run fills the new file.
func (r Rewriting) run(ctx context.Context, tx *sql.Tx) (done Rewritten, err error) {
	statements := append(layout(), derived.ViewStatements()...)
	statements = append(
		statements,
		"DELETE FROM internal.meta", // the old file has what making the views wrote
		"CREATE TEMP TABLE rewritten (table_name VARCHAR, partition_start TIMESTAMPTZ, removed BIGINT, changed BIGINT)",
	)
	if _, err := tx.ExecContext(ctx, strings.Join(statements, ";")); err != nil {
		return Rewritten{}, err
	}
	if r.Before != nil {
		if err := r.Before(ctx, tx); err != nil {
			return Rewritten{}, err
		}
	}
	tables, err := storedTables(ctx, tx)
	if err == nil {
		err = r.check(tables)
	}
	if err != nil {
		return Rewritten{}, err
	}
	for _, table := range tables {
		if err := r.copyRows(ctx, tx, table); err != nil {
			return Rewritten{}, fmt.Errorf("%s: %w", table.name, err)
		}
	}
	if done, err = finishRewriting(ctx, tx); err != nil {
		return Rewritten{}, err
	}
	if r.Then != nil {
		err = r.Then(ctx, tx)
	}
	return done, err
}

// finishRewriting lists the partitions that changed, and counts.
func finishRewriting(ctx context.Context, tx *sql.Tx) (done Rewritten, err error) {
	_, err = tx.ExecContext(ctx, `INSERT INTO internal.changed_partitions
		SELECT table_name, partition_start FROM temp.rewritten r WHERE partition_start IS NOT NULL AND NOT EXISTS
			(FROM internal.changed_partitions c WHERE c.table_name = r.table_name AND c.partition_start = r.partition_start)`)
	if err != nil {
		return done, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT table_name, sum(removed)::BIGINT, sum(changed)::BIGINT FROM temp.rewritten GROUP BY ALL")
	if err != nil {
		return done, err
	}
	defer func() { _ = rows.Close() }()
	done = Rewritten{Removed: map[string]int64{}, Changed: map[string]int64{}}
	for rows.Next() {
		var table string
		var removed, changed int64
		if err := rows.Scan(&table, &removed, &changed); err != nil {
			return done, err
		}
		if removed > 0 {
			done.Removed[table] = removed
		}
		if changed > 0 {
			done.Changed[table] = changed
		}
	}
	return done, rows.Err()
}

// storedTable is a table of the file, of package schema or private.
type storedTable struct {
	name     string // as in a Rewriting
	path     string // as SQL, without the database
	columns  []string
	types    map[string]string
	declared *schema.Table // nil for a private one
}

// storedTables lists all tables of the new file.
func storedTables(ctx context.Context, tx *sql.Tx) (tables []*storedTable, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
		WHERE database_name = current_database() AND (schema_name, table_name) IN (SELECT (schema_name, table_name) FROM duckdb_tables() WHERE database_name = current_database())
		ORDER BY schema_name, table_oid, column_index`)
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

// check refuses a table or a column that is not there, or cannot be changed.
func (r Rewriting) check(tables []*storedTable) error {
	known := map[string]*storedTable{}
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
			if t.types[column] == "" || t.dates(column) {
				return fmt.Errorf("%s of %s cannot be changed", column, name)
			}
		}
	}
	return nil
}

// dates reports whether the partition of a row follows from the column.
func (t *storedTable) dates(column string) bool {
	if t.declared == nil {
		return false
	}
	partition := t.declared.PartitionColumn()
	return column == t.declared.Time || (partition != nil && column == partition.Name)
}

// copyRows copies the rows of a table that stay, with their new values.
func (r Rewriting) copyRows(ctx context.Context, tx *sql.Tx, t *storedTable) error {
	if err := r.count(ctx, tx, t); err != nil {
		return err
	}
	var stored, removed int64
	err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s.%s), (SELECT coalesce(sum(removed), 0)::BIGINT FROM temp.rewritten WHERE table_name = ?)",
		former, t.path), t.name).Scan(&stored, &removed)
	if err != nil {
		return err
	}
	names, values := make([]string, len(t.columns)), make([]string, len(t.columns))
	for i, column := range t.columns {
		names[i] = schema.Ident(column)
		values[i] = names[i]
		if expression, ok := r.Columns[t.name][column]; ok {
			values[i] = t.newValue(column, expression)
		}
	}
	result, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s.%s WHERE %s",
		t.path, strings.Join(names, ", "), strings.Join(values, ", "), former, t.path, r.stays(t)))
	if err != nil {
		return err
	}
	copied, err := result.RowsAffected()
	if err == nil && copied != stored-removed {
		err = fmt.Errorf("%d rows were copied, not %d: an expression does not give the same result each time", copied, stored-removed)
	}
	return err
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

// count lists in the temporary table rewritten how many rows of each partition are left
// out, and how many change.
func (r Rewriting) count(ctx context.Context, tx *sql.Tx, t *storedTable) error {
	changed := []string{"false"}
	for _, column := range t.columns {
		if expression, ok := r.Columns[t.name][column]; ok { // as text: a JSON that changed its notation changed
			changed = append(changed, fmt.Sprintf("%s::VARCHAR IS DISTINCT FROM %s::VARCHAR", t.newValue(column, expression), schema.Ident(column)))
		}
	}
	if _, ok := r.Where[t.name]; !ok && len(changed) == 1 {
		return nil
	}
	start := "NULL"
	if t.declared != nil && t.declared.Partition != schema.Unpartitioned {
		start = duckdb.PartitionStart(t.declared, schema.Ident(t.declared.Time))
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO temp.rewritten SELECT ?, rewritten_start, count(*) FILTER (NOT rewritten_stays), count(*) FILTER (rewritten_changed)
		FROM (SELECT %[1]s AS rewritten_start, %[2]s AS rewritten_stays, CASE WHEN %[2]s THEN %[3]s ELSE false END AS rewritten_changed FROM %[4]s.%[5]s)
		WHERE NOT rewritten_stays OR rewritten_changed GROUP BY rewritten_start`,
		start, r.stays(t), strings.Join(changed, " OR "), former, t.path), t.name)
	return err
}
