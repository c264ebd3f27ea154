package load

import (
	"context"
	"database/sql"
	"time"
)

// Run is what sync_runs keeps of one stream of a run.
type Run struct {
	RunID, Stream, Status                                     string
	StartedAt, FinishedAt                                     time.Time
	From, To                                                  time.Time // watermarks; zero if nothing was due
	Requests, Received, Inserted, Updated, Unchanged, Doubled int64
	Rejected                                                  int64
	Complete                                                  bool
	Error                                                     string // "" if nothing went wrong
	Version                                                   string
}

// Begin notes that a run works on the streams. Runs that never finished were
// killed, since no other instance can be running: they are marked interrupted.
func (w *Warehouse) Begin(ctx context.Context, runID string, streams []string, started time.Time) error {
	return w.transact(ctx, "begin run", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE sync_runs SET status = 'interrupted' WHERE status = 'running'"); err != nil {
			return err
		}
		for _, stream := range streams {
			_, err := tx.ExecContext(ctx, `INSERT INTO sync_runs (run_id, stream, status, started_at, version) VALUES (?, ?, 'running', ?, ?)`,
				runID, stream, started, w.options.Version)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Finish notes the end of a stream's run.
func (w *Warehouse) Finish(ctx context.Context, r Run) error {
	return w.transact(ctx, "finish run", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET status = ?, finished_at = ?, from_ts = ?, to_ts = ?, requests = ?,
				rows_received = ?, rows_inserted = ?, rows_updated = ?, rows_unchanged = ?, rows_duplicate = ?, rows_rejected = ?,
				complete = ?, error = ? WHERE run_id = ? AND stream = ?`,
			r.Status, r.FinishedAt, optionalTime(r.From), optionalTime(r.To), r.Requests,
			r.Received, r.Inserted, r.Updated, r.Unchanged, r.Doubled, r.Rejected,
			r.Complete, sql.NullString{String: r.Error, Valid: r.Error != ""}, r.RunID, r.Stream)
		return err
	})
}

func optionalTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }
