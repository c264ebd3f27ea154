// Package erase removes rows and values from the private file, in every byte of it: what has
// expired, who is forgotten, what a privacy policy does not keep. Each of them is a
// load.Warehouse.Rewrite. What is removed of published files follows from the partitions
// that it lists.
package erase

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// pending is a key in internal.meta: something was erased, and files that were set aside may
// still have it.
const pending = "erased"

// Pending reports whether something was erased that files beside the warehouse may have.
func Pending(ctx context.Context, w *load.Warehouse) (bool, error) {
	marks, err := layout.Meta(ctx, w.Conn(), "", pending)
	return len(marks) > 0, duckdb.Wrap("read warehouse", err)
}

// MarkPending records that something is about to be erased that files beside the warehouse
// may have.
func MarkPending(ctx context.Context, w *load.Warehouse) error {
	return duckdb.Wrap("record erasure", layout.AddMeta(ctx, w.Conn(), pending, ""))
}

// MarkDone records that no other file has what was erased.
func MarkDone(ctx context.Context, w *load.Warehouse) error {
	return duckdb.Transact(ctx, w.Conn(), "record erasure", func(tx *sql.Tx) error { return layout.SetMeta(ctx, tx, pending) })
}

// daysWhere is a query of the UTC days of the rows of a table that meet a condition.
func daysWhere(t *schema.Table, prefix, condition string) string {
	return fmt.Sprintf("SELECT CAST(make_timestamp(epoch_us(%s)) AS DATE) AS day FROM %s%s WHERE %s",
		schema.Ident(t.Time), prefix, schema.Ident(t.Name), condition)
}

// listDays lists the days of which something is erased in the temporary table erased_days.
func listDays(ctx context.Context, tx *sql.Tx, queries []string) error {
	queries = append([]string{"SELECT NULL::DATE AS day WHERE false"}, queries...)
	_, err := tx.ExecContext(ctx, "CREATE TEMP TABLE erased_days AS "+strings.Join(queries, " UNION "))
	return err
}

// keepOtherDays are the conditions of derived tables. They lose the listed days, which Derive
// computes again from what is left of them.
func keepOtherDays() map[string]string {
	where := map[string]string{}
	for _, t := range schema.Tables() {
		if t.Derived != "" {
			where[t.Name] = schema.Ident(t.Time) + " NOT IN (SELECT day FROM temp.erased_days)"
		}
	}
	return where
}
