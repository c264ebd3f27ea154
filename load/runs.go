package load

import (
	"context"
	"database/sql"
	"time"
)

// Run is a row of sync_runs: one stream of a run.
type Run struct {
	RunID, Stream, Status                                     string
	StartedAt, FinishedAt                                     time.Time
	From, To                                                  time.Time // watermarks; zero if nothing was due
	Requests, Received, Inserted, Updated, Unchanged, Doubled int64
	Rejected, Recovered                                       int64
	Complete                                                  bool
	Error                                                     string // "" if nothing went wrong
	Version                                                   string
	Verified                                                  string // "" if no verification was due
	VerifiedMissing                                           int64
	Withheld                                                  int64
}

// StartRun records that a run has started with these streams. Earlier runs that never
// finished were killed, since no other instance can be running: they are marked
// interrupted.
func (w *Warehouse) StartRun(ctx context.Context, runID string, streams []string, started time.Time) error {
	return w.transact(ctx, "record run", func(tx *sql.Tx) error {
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

// FinishRun records the end of a stream's run.
func (w *Warehouse) FinishRun(ctx context.Context, r Run) error {
	return w.transact(ctx, "record end of run", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sync_runs SET status = ?, finished_at = ?, from_ts = ?, to_ts = ?, requests = ?,
				rows_received = ?, rows_inserted = ?, rows_updated = ?, rows_unchanged = ?, rows_duplicate = ?, rows_rejected = ?,
				complete = ?, error = ?, rows_recovered = ?, verified = ?, verified_missing = ?, rows_withheld = ? WHERE run_id = ? AND stream = ?`,
			r.Status, r.FinishedAt, optionalTime(r.From), optionalTime(r.To), r.Requests,
			r.Received, r.Inserted, r.Updated, r.Unchanged, r.Doubled, r.Rejected,
			r.Complete, sql.NullString{String: r.Error, Valid: r.Error != ""},
			r.Recovered, sql.NullString{String: r.Verified, Valid: r.Verified != ""},
			sql.NullInt64{Int64: r.VerifiedMissing, Valid: r.Verified != ""}, r.Withheld, r.RunID, r.Stream)
		return err
	})
}

func optionalTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

// LastVerified is when a run verified the stream last; zero if none did.
func (r Reader) LastVerified(ctx context.Context, stream string) (time.Time, error) {
	return r.instant(ctx, "SELECT max(started_at) FROM sync_runs WHERE stream = ? AND verified IS NOT NULL", stream)
}

// FirstRun is when a stream was synced for the first time.
func (r Reader) FirstRun(ctx context.Context, stream string) (time.Time, error) {
	return r.instant(ctx, "SELECT min(started_at) FROM sync_runs WHERE stream = ?", stream)
}

// Reached is the latest instant that a run tried to read of a stream; zero if none did.
func (r Reader) Reached(ctx context.Context, stream string) (time.Time, error) {
	return r.instant(ctx, "SELECT max(to_ts) FROM sync_runs WHERE stream = ?", stream)
}
