package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/schema"
)

// latenessClasses are the upper bounds of the classes, in seconds: 1, 5 and 15 minutes, 1, 3,
// 6 and 12 hours, 1, 2, 4, 7, 14, 30 and 90 days. Rows later than the last one have a class of
// their own, a century.
const latenessClasses = "[60, 300, 900, 3600, 10800, 21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000, 7776000, 3153600000]"

// RecordLateness records how late the run's new rows were whose time was covered before:
// such a row was missing when its time was last read, at the end of what was covered, so
// it was late by at least the time from its timestamp to that end.
func (w *Warehouse) RecordLateness(ctx context.Context, runID string, table *schema.Table, started time.Time, before checkpoints.Set) error {
	extent, ok := before.Extent()
	if !ok {
		return nil
	}
	at := schema.Ident(table.Time)
	within, arguments := Inside(at, before)
	late := fmt.Sprintf("epoch(make_timestamptz(%d) - %s)", extent.To.UnixMicro(), at)
	return w.transact(ctx, "record lateness", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO sync_lateness (run_id, stream, observed_at, up_to_s, rows, max_s)
			SELECT ?, ?, ?, coalesce(list_min(list_filter(%[1]s, lambda c: c >= %[2]s)), list_max(%[1]s)) AS class, count(*), ceil(max(%[2]s))::BIGINT FROM %[3]s
			WHERE _run_id = ? AND _first_synced_at >= ? AND (%[4]s) GROUP BY class`,
			latenessClasses, late, schema.Ident(table.Name), within),
			append([]any{runID, table.Name, started, runID, started.Truncate(time.Microsecond)}, arguments...)...)
		return err
	})
}
