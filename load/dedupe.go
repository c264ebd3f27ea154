package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/layout"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Dedupe looks, once a run, for the run's ids in the rest of the table: a row whose time
// changed by more than a batch spans is stored a second time. The version committed last is
// kept, with the _first_synced_at of the oldest. Runs that were killed before they did this
// are included. The counts correct those of the run's commits.
func (w *Warehouse) Dedupe(ctx context.Context, runID string, table *schema.Table) (correction Counts, err error) {
	if !(statements{table}).canMove() {
		return Counts{}, nil
	}
	err = w.transact(ctx, "deduplicate "+table.Name, func(tx *sql.Tx) error {
		moved, err := findMoved(ctx, tx, table, runID)
		if err == nil && moved > 0 {
			correction, err = dropOlder(ctx, tx, table, runID)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM internal.unsettled WHERE stream = ?", table.Name)
		}
		return err
	})
	if err != nil {
		return Counts{}, err
	}
	return correction, nil
}

// canMove reports whether a row can move: not if the time is part of its key.
func (s statements) canMove() bool { return len(s.Key) == 1 }

// findMoved lists every row whose id is stored more than once, newest version first, in
// the temporary table moved. The run decides before the clock which one is newer, since the
// clock may have been set back between two runs.
func findMoved(ctx context.Context, tx *sql.Tx, table *schema.Table, runID string) (rows int, err error) {
	if found, err := findRepeated(ctx, tx, table); err != nil || !found {
		return 0, err
	}
	name, id, at := schema.Ident(table.Name), schema.Ident(table.Key[0]), schema.Ident(table.Time)
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE moved AS
		WITH twice AS (
			SELECT %[2]s FROM %[1]s WHERE hash(%[2]s) IN (FROM temp.repeated) GROUP BY %[2]s HAVING count(*) > 1
		)
		SELECT t.rowid AS stored_row, t.%[2]s AS id, t.%[3]s AS stored_time, t._run_id AS run_id,
			row_number() OVER (PARTITION BY t.%[2]s
				ORDER BY t._run_id = %[5]s DESC, u.run_id IS NOT NULL DESC, t._last_changed_at DESC) AS nth,
			min(t._first_synced_at) OVER (PARTITION BY t.%[2]s) AS first_synced_at
		FROM %[1]s t SEMI JOIN twice USING (%[2]s)
			LEFT JOIN internal.unsettled u ON u.run_id = t._run_id AND u.stream = %[4]s`,
		name, id, at, schema.Literal(table.Name), schema.Literal(runID)))
	if err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM temp.moved").Scan(&rows)
	return rows, err
}

// hashesPerPass limits how many ids are compared at once: their hashes take some 40 bytes
// of memory each.
const hashesPerPass = 2_000_000

// findRepeated lists the hashes that ids of the listed runs share with other rows, in the
// temporary table repeated. Nearly always there are none, and a hash is much smaller than
// an id. After a backfill, when most rows are of listed runs, the whole table is read: the
// other rows repeat no id.
func findRepeated(ctx context.Context, tx *sql.Tx, table *schema.Table) (found bool, err error) {
	name, id := schema.Ident(table.Name), schema.Ident(table.Key[0])
	listed := fmt.Sprintf("_run_id IN (SELECT run_id FROM internal.unsettled WHERE stream = %s)", schema.Literal(table.Name))
	var all, fresh, repeated int64
	err = tx.QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %[1]s), (SELECT count(*) FROM %[1]s WHERE %[2]s)", name, listed)).Scan(&all, &fresh)
	if err != nil || fresh == 0 {
		return false, err
	}
	among, compared := "", all
	if fresh < all/4 {
		among, compared = fmt.Sprintf("SEMI JOIN (SELECT hash(%s) AS h FROM %s WHERE %s) USING (h)", id, name, listed), fresh
	}
	if _, err := tx.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE repeated (h UBIGINT)"); err != nil {
		return false, err
	}
	passes := compared/hashesPerPass + 1
	for pass := range passes {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO temp.repeated
			SELECT h FROM (SELECT hash(%s) AS h FROM %s) %s WHERE h %% %d = %d GROUP BY h HAVING count(*) > 1`, id, name, among, passes, pass))
		if err != nil {
			return false, err
		}
	}
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM temp.repeated").Scan(&repeated)
	return repeated > 0, err
}

// dropOlder keeps the newest version of each row, and lists the partitions of all versions as
// changed. Rows that this run replaced count as updated.
func dropOlder(ctx context.Context, tx *sql.Tx, table *schema.Table, runID string) (Counts, error) {
	left, err := duckdb.ReadColumn[time.Time](ctx, tx, "SELECT DISTINCT "+duckdb.PartitionStart(table, "stored_time")+" FROM temp.moved")
	if err == nil {
		err = layout.ListChanged(ctx, tx, table.Name, left...)
	}
	if err != nil {
		return Counts{}, err
	}
	var replaced int64
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM temp.moved
		WHERE nth > 1 AND id IN (SELECT id FROM temp.moved WHERE nth = 1 AND run_id = ?)`, runID).Scan(&replaced)
	if err != nil {
		return Counts{}, err
	}
	name := schema.Ident(table.Name)
	err = duckdb.Execute(
		ctx, tx,
		fmt.Sprintf(`UPDATE %s t SET _first_synced_at = m.first_synced_at FROM temp.moved m WHERE t.rowid = m.stored_row AND m.nth = 1`, name),
		fmt.Sprintf(`DELETE FROM %s WHERE rowid IN (SELECT stored_row FROM temp.moved WHERE nth > 1)`, name),
		`DROP TABLE temp.moved`,
	)
	return Counts{Inserted: -replaced, Updated: replaced}, err
}
