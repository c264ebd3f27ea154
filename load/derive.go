package load

import (
	"context"
	"database/sql"

	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Derive brings what is computed from other tables up to date with what is committed, so
// that it is published with them: the queries that the configuration asks for, the days
// that are complete, and the rows of derived tables for the days whose rows, names or
// completeness changed. Nothing else is computed again. The queries of the streams in kept,
// which a narrowed run does not have, stay as they are.
func (w *Warehouse) Derive(ctx context.Context, queries []derived.Query, kept []string) error {
	return w.growing(ctx, func() error {
		return w.transact(ctx, "derive tables", func(tx *sql.Tx) error {
			return derived.Update(ctx, tx, queries, kept, w.commitTime())
		})
	})
}

// makeViews makes the views of this release, if the warehouse has other ones, and marks that
// they are not published.
func (w *Warehouse) makeViews(ctx context.Context) error {
	current, err := derived.ViewsAreCurrent(ctx, w.conn)
	if err == nil && !current {
		err = w.markUnpublished()
	}
	if err != nil || current {
		return duckdb.Wrap("make views", err)
	}
	return w.transact(ctx, "make views", func(tx *sql.Tx) error {
		return duckdb.Execute(ctx, tx, derived.ViewStatements()...)
	})
}
