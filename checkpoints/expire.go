package checkpoints

import (
	"context"
	"database/sql"
	"fmt"
)

// Expire records, inside the caller's transaction, that the rows of a key in an interval
// are dropped on purpose, and that nothing before its end counts as covered or lost any
// more. The transaction is the one that drops the rows.
func Expire(ctx context.Context, tx *sql.Tx, key Key, runID string, i Interval) error {
	if i.Empty() {
		return nil
	}
	for _, statement := range []string{
		`DELETE FROM sync_coverage WHERE stream = $1 AND "filter" = $2 AND status <> $3 AND to_ts <= $4`,
		`UPDATE sync_coverage SET from_ts = $4 WHERE stream = $1 AND "filter" = $2 AND status <> $3 AND from_ts < $4`,
	} {
		if _, err := tx.ExecContext(ctx, statement, key.Stream, key.Filter, string(Expired), i.To); err != nil {
			return fmt.Errorf("write coverage ledger: %w", err)
		}
	}
	return Record(ctx, tx, key, Expired, runID, Of(i))
}
