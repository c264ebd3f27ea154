package load

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
)

// Generation is the number of the last publication made from this warehouse; 0 if there
// was none. It shows whether the warehouse is older than what is published.
func (w *Warehouse) Generation(ctx context.Context) (generation int64, err error) {
	recorded, err := layout.Meta(ctx, w.conn, layout.Generation)
	if err == nil && len(recorded) > 0 {
		generation, err = strconv.ParseInt(recorded[0], 10, 64)
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
	return generation, w.transact(ctx, "count publication", func(tx *sql.Tx) error {
		return layout.SetMeta(ctx, tx, layout.Generation, strconv.FormatInt(generation, 10))
	})
}
