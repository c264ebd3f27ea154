package load

import (
	"context"
	"time"
)

// Quarantined is a record in quarantine.
type Quarantined struct {
	Raw  string
	Seen time.Time // when the source gave it
}

// Rejects lists the quarantine of a stream, the oldest first.
func (w *Warehouse) Rejects(ctx context.Context, stream string) ([]Quarantined, error) {
	rows, err := w.conn.QueryContext(ctx, "SELECT raw, rejected_at FROM rejected_records WHERE stream = ? ORDER BY rejected_at, raw", stream)
	if err != nil {
		return nil, storage("read warehouse", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Quarantined
	for rows.Next() {
		var q Quarantined
		if err := rows.Scan(&q.Raw, &q.Seen); err != nil {
			return nil, storage("read warehouse", err)
		}
		all = append(all, q)
	}
	return all, storage("read warehouse", rows.Err())
}
