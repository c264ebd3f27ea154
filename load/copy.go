package load

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Copy writes the rows of [from, to), sorted by time and key, to a file in the lake, with
// the given options of COPY; nothing if there are none. It returns how many there are, and
// between which times, both inclusive (UTC). The caller owns the file: it exists already, and
// Copy does not fsync it. After an error the file may be gone. Several goroutines may call it
// at once, while nothing is committed.
func (w *Warehouse) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (rows int64, oldest, newest time.Time, err error) {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return 0, oldest, newest, duckdb.Wrap("read warehouse", err)
	}
	defer func() { _ = conn.Close() }() // it only read
	at := schema.Ident(table.Time)
	among := fmt.Sprintf("%[1]s WHERE %[2]s >= %[3]s AND %[2]s < %[4]s", schema.Ident(table.Name), at, boundOf(table, from), boundOf(table, to))
	var first, last sql.NullTime
	err = conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*), min(%[1]s), max(%[1]s) FROM %[2]s", at, among)).Scan(&rows, &first, &last)
	if err == nil && rows > 0 {
		var written sql.Result
		written, err = conn.ExecContext(ctx, fmt.Sprintf("COPY (SELECT %s FROM %s ORDER BY %s) TO %s (%s)",
			duckdb.Values(table), among, duckdb.Order(table), schema.Literal(file), options))
		if err == nil {
			rows, err = written.RowsAffected()
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else {
		err = duckdb.Wrap("write "+table.Name, err)
	}
	return rows, first.Time.UTC(), last.Time.UTC(), err
}

// boundOf is the SQL of a time to compare a table's time column with, of the same type: a
// comparison of a date with a time goes through a calendar for every row.
func boundOf(table *schema.Table, at time.Time) string {
	if c, _ := table.Column(table.Time); c.Type == schema.Date {
		return "DATE " + schema.Literal(at.UTC().Format(time.DateOnly))
	}
	return instantOf(at.UnixMicro())
}

// growing does something again, with more memory each time, as long as it lacks some.
func (w *Warehouse) growing(ctx context.Context, do func() error) error {
	for {
		err := do()
		if grown, failed := w.GrowAfter(ctx, err); !grown || failed != nil {
			return cmp.Or(failed, err)
		}
	}
}

// GrowAfter gives DuckDB more memory after an error, and reports whether it did: not if
// the error had another reason, or there is no more. It opens the file again.
func (w *Warehouse) GrowAfter(ctx context.Context, failed error) (grown bool, err error) {
	if !w.memory.GrowAfter(failed) {
		return false, nil
	}
	_ = w.disconnect() // its error would follow from the failure
	return true, w.Reopen(ctx)
}
