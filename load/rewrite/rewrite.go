// Package rewrite makes a DuckDB file anew where rows or values must go: they are in no byte
// of the new file, while DELETE and UPDATE would leave them in free blocks.
//
// DuckDB does not clear its memory before it uses it for a block, and writes the parts of a
// block that it does not need as they are: a session that has read the old file would write
// parts of it to the new one. So one session reads, and writes what stays as Parquet, which
// has no unused parts. Closing it returns its memory to the system. A second one, which
// sees no other rows, writes the new file (ADR 33).
package rewrite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Old is the name of the old file in queries.
const Old = "old"

// Changes say what the new file has that the old one does not. A table is named as in
// package schema, a private one as internal.NAME. Expressions are SQL over the columns of
// the old row; they must give the same result each time, and may read what Before made.
type Changes struct {
	// Functions are known to SQL by their name, in these changes only.
	Functions map[string]duckdb.Function
	// Where is by table the condition that a row must meet to stay. A row for which it is
	// NULL does not stay. A table that is not named keeps all rows.
	Where map[string]string
	// Columns is by table and column the expression of the new value. The column that dates
	// a row, and the partition column that follows from it, cannot be changed.
	Columns map[string]map[string]string
	// Before runs first, for temporary tables that Where and Columns read. It may read the
	// old tables as old.main.NAME and old.internal.NAME. Nil: nothing.
	Before func(ctx context.Context, tx *sql.Tx) error
	// Then runs last in the transaction that fills the new file. It sees neither the old
	// tables nor those of Before, nor Functions. Nil: nothing.
	Then func(ctx context.Context, tx *sql.Tx) error
}

// Counts are what File did, in rows by table. A changed row has another value in a
// column that was named; tables without such a row are not listed.
type Counts struct{ Removed, Changed map[string]int64 }

// rewriting is a File in progress.
type rewriting struct {
	Changes
	folder string // of the rows between the two sessions
	tables []*table
	done   Counts
}

// File makes the new file from the closed one at the path, beside it: at its path with the
// suffix layout.Unfinished. Rows keep their order and every column that is not named. The
// partitions of rows that are left out or changed are listed as changed. The session says
// how much memory may be used. What File leaves after an error, layout.RemoveUnfinished
// removes.
func File(ctx context.Context, path string, session duckdb.Session, changes Changes) (Counts, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Counts{}, err
	}
	r := rewriting{Changes: changes, folder: path + layout.Rows, done: Counts{Removed: map[string]int64{}, Changed: map[string]int64{}}}
	if err := errors.Join(layout.RemoveUnfinished(path), os.Mkdir(r.folder, 0o700)); err != nil {
		return Counts{}, err
	}
	session.Folder = r.folder + string(filepath.Separator)
	reading := session
	reading.Attach = map[string]string{Old: path}
	err = duckdb.Use(ctx, "", reading, func(conn *sql.Conn) error {
		if err := duckdb.RegisterFunctions(conn, r.Functions); err != nil {
			return err
		}
		return duckdb.Transact(ctx, conn, "read warehouse", func(tx *sql.Tx) error { return r.readTables(ctx, tx) })
	})
	if err == nil {
		err = duckdb.Use(ctx, path+layout.Unfinished, session, func(conn *sql.Conn) error {
			return duckdb.Write(ctx, conn, "rewrite warehouse", func(tx *sql.Tx) error { return r.writeTables(ctx, tx) })
		})
	}
	if err != nil {
		return Counts{}, err
	}
	return r.done, errors.Join(os.RemoveAll(r.folder), os.Chmod(path+layout.Unfinished, 0o640))
}

// writeTables makes the new file.
func (r *rewriting) writeTables(ctx context.Context, tx *sql.Tx) error {
	statements := append(layout.Statements(), "DELETE FROM internal.meta") // the old file has what making the views wrote
	for _, t := range r.tables {
		for _, file := range t.files {
			statements = append(statements, fmt.Sprintf("INSERT INTO %[1]s (%[2]s) SELECT %[2]s FROM read_parquet(%[3]s, hive_partitioning = false)",
				t.Path(), duckdb.List(t.Columns, schema.Ident), schema.Literal(file)))
		}
	}
	if err := duckdb.Execute(ctx, tx, statements...); err != nil {
		return err
	}
	for _, t := range r.tables {
		if err := layout.ListChanged(ctx, tx, t.name, t.touched...); err != nil {
			return err
		}
	}
	if r.Then != nil {
		return r.Then(ctx, tx)
	}
	return nil
}
