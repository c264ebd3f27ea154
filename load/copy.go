package load

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// lake is the folder that Copy may write to.
func (o Options) lake() (string, error) {
	folder := o.Lake
	if folder == "" {
		folder = filepath.Join(o.Dir, "lake")
	}
	absolute, err := filepath.Abs(folder)
	return absolute + string(filepath.Separator), err
}

// Copy writes the rows of [from, to), sorted by time and key, to a file in the
// lake, with the given options of COPY. The caller owns the file: it exists already, and
// Copy does not fsync it. If DuckDB's memory is too small to sort or write the rows,
// nothing is copied and the file may be gone: read them with Rows. Several goroutines may
// call it at once, while nothing is committed.
func (w *Warehouse) Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (copied bool, err error) {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return false, duckdb.Wrap("read warehouse", err)
	}
	defer func() { _ = conn.Close() }() // it only read
	c := copying{table, fmt.Sprintf("%[1]s >= make_timestamptz(%[2]d) AND %[1]s < make_timestamptz(%[3]d)",
		schema.Ident(table.Time), from.UnixMicro(), to.UnixMicro())}
	// One transaction, so that the rows that were found to be in order are those copied.
	err = reader{conn}.transact(ctx, "write "+table.Name, func(tx *sql.Tx) error {
		order, err := c.order(ctx, tx)
		if err != nil || order == tooMany {
			return err
		}
		copied = true
		_, err = tx.ExecContext(ctx, fmt.Sprintf("COPY (SELECT %s FROM %s WHERE %s%s) TO %s (%s)",
			duckdb.Values(c.Table), schema.Ident(table.Name), c.within, order, schema.Literal(file), options))
		return err
	})
	if duckdb.OutOfMemory(err) {
		return false, nil
	}
	return copied && err == nil, err
}

// copying is the SQL of one Copy.
type copying struct {
	*schema.Table
	within string // the range, as a condition
}

// tooMany is the order of rows that are not stored in order and are too many to sort
// cheaply: beyond sortedRows a sort of whole rows spills to disk.
const (
	tooMany    = "too many"
	sortedRows = 40_000
)

// fewRows are sorted without checking their order.
const fewRows = 4096

// order is the ORDER BY that the rows need. Rows that are stored in order need none, which
// saves a third of the cost. For most others the times alone show it.
func (c copying) order(ctx context.Context, tx *sql.Tx) (string, error) {
	sorted := " ORDER BY " + duckdb.Order(c.Table)
	var rows int64
	var ascending bool
	err := tx.QueryRowContext(ctx, c.compare(schema.Ident(c.Time))).Scan(&rows, &ascending)
	if err == nil && ascending && rows > fewRows {
		// In a row NULL is the largest value, and equal to itself, as in a sort.
		err = tx.QueryRowContext(ctx, c.compare("ROW("+duckdb.Order(c.Table)+")")).Scan(&rows, &ascending)
	}
	switch {
	case err != nil:
		return "", err
	case ascending && rows > fewRows:
		return "", nil
	case rows > sortedRows:
		return tooMany, nil
	}
	return sorted, nil
}

// compare counts the rows and checks that a value never decreases from one to the next,
// in the order in which they are stored.
func (c copying) compare(value string) string {
	return fmt.Sprintf(`SELECT count(*), coalesce(bool_and(value >= before), true) FROM (
		SELECT value, lag(value) OVER () AS before FROM (SELECT %s AS value FROM %s WHERE %s))`,
		value, schema.Ident(c.Name), c.within)
}
