package load

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Generation is the number of the last publication made from this warehouse; 0 if there
// was none. It shows whether the warehouse is older than what is published.
func (w *Warehouse) Generation(ctx context.Context) (generation int64, err error) {
	var text sql.NullString
	err = w.conn.QueryRowContext(ctx, "SELECT max(value) FROM internal.meta WHERE key = 'generation'").Scan(&text)
	if err == nil && text.Valid {
		generation, err = strconv.ParseInt(text.String, 10, 64)
	}
	return generation, duckdb.Wrap("read warehouse", err)
}

// NextGeneration counts a publication. Its number is committed before a file is published,
// so that a crash never leaves a file with a number that the warehouse lacks.
func (w *Warehouse) NextGeneration(ctx context.Context) (int64, error) {
	generation, err := w.Generation(ctx)
	if err != nil {
		return 0, err
	}
	generation++
	return generation, w.transact(ctx, "count publication", func(tx *sql.Tx) error { return setGeneration(ctx, tx, generation) })
}

func setGeneration(ctx context.Context, tx *sql.Tx, generation int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM internal.meta WHERE key = 'generation'")
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO internal.meta VALUES ('generation', ?)", strconv.FormatInt(generation, 10))
	}
	return err
}
