package load

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/schema"
)

// latenessClasses are the upper bounds of the classes; rows later than the last one have a
// class of their own.
var latenessClasses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 4 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour,
}

const latest = 100 * 365 * 24 * time.Hour

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
			SELECT ?, ?, ?, %s AS class, count(*), ceil(max(%[2]s))::BIGINT FROM %[3]s
			WHERE _run_id = ? AND _first_synced_at >= ? AND (%[4]s) GROUP BY class`,
			classOf(late), late, schema.Ident(table.Name), within),
			append([]any{runID, table.Name, started, runID, started.Truncate(time.Microsecond)}, arguments...)...)
		return err
	})
}

func classOf(late string) string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, class := range latenessClasses {
		fmt.Fprintf(&b, " WHEN %s <= %d THEN %d", late, int64(class/time.Second), int64(class/time.Second))
	}
	fmt.Fprintf(&b, " ELSE %d END", int64(latest/time.Second))
	return b.String()
}
