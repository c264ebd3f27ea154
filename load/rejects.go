package load

import (
	"context"
	"database/sql"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Quarantined is a record in quarantine.
type Quarantined struct {
	Raw  string
	Seen time.Time // when the source sent it
}

// Rejects lists the quarantine of a stream, oldest first.
func (w *Warehouse) Rejects(ctx context.Context, stream string) ([]Quarantined, error) {
	all, err := duckdb.ReadRows(ctx, w.conn, func(q *Quarantined) []any { return []any{&q.Raw, &q.Seen} },
		"SELECT raw, rejected_at FROM rejected_records WHERE stream = ? ORDER BY rejected_at, raw", stream)
	return all, duckdb.Wrap("read warehouse", err)
}

// KnowsReject reports whether a reject is in quarantine, or was before it was removed.
func KnowsReject(ctx context.Context, tx *sql.Tx, stream, raw string) (known bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM rejected_records WHERE stream = $1 AND raw = $2)
		OR EXISTS (SELECT 1 FROM internal.meta WHERE key = $3 AND value = `+fingerprint("$1::VARCHAR", "$2::VARCHAR")+")",
		stream, raw, forgotten).Scan(&known)
	return known, err
}
