package checkpoints

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Status is the state of an interval in the ledger.
type Status string

const (
	// Covered intervals have been read completely.
	Covered Status = "covered"
	// Lost intervals were never read and can no longer be fetched from the source.
	Lost Status = "lost"
	// Expired intervals were dropped on purpose, and are never read again.
	Expired Status = "expired"
)

// Key names one line of coverage: a stream and the filter set it is read with,
// as canonical JSON.
type Key struct {
	Stream string `json:"stream"`
	Filter string `json:"filter"`
}

// Line is one interval of the whole ledger, as it is published.
type Line struct {
	Stream string    `json:"stream"`
	Filter string    `json:"filter"`
	Status Status    `json:"status"`
	From   time.Time `json:"from"` // inclusive
	To     time.Time `json:"to"`   // exclusive
}

// Key is the key that the line is of.
func (l Line) Key() Key { return Key{Stream: l.Stream, Filter: l.Filter} }

// Interval is the time of the line.
func (l Line) Interval() Interval { return Interval{From: l.From, To: l.To} }

// querier is what reading the ledger needs: *sql.Tx, *sql.Conn and *sql.DB have it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Read returns the intervals of a key that have the status.
func Read(ctx context.Context, q querier, key Key, status Status) (Set, error) {
	lines, err := read(ctx, q, `sync_coverage WHERE stream = ? AND "filter" = ? AND status = ?`, key.Stream, key.Filter, string(status))
	intervals := make([]Interval, len(lines))
	for i, l := range lines {
		intervals[i] = l.Interval()
	}
	return Of(intervals...), err
}

// ReadAll reads the whole ledger from a table, which is sync_coverage unless several
// databases are open.
func ReadAll(ctx context.Context, q querier, table string) ([]Line, error) {
	return read(ctx, q, table)
}

// read reads lines of the ledger from a table, or from the rows of it that fit.
func read(ctx context.Context, q querier, from string, args ...any) (lines []Line, err error) {
	rows, err := q.QueryContext(ctx, `SELECT stream, "filter", status, from_ts, to_ts FROM `+from+` ORDER BY ALL`, args...)
	if err != nil {
		return nil, fmt.Errorf("read coverage ledger: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.Stream, &l.Filter, &l.Status, &l.From, &l.To); err != nil {
			return nil, fmt.Errorf("read coverage ledger: %w", err)
		}
		l.From, l.To = l.From.UTC(), l.To.UTC()
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read coverage ledger: %w", err)
	}
	return lines, nil
}

// Record adds intervals to a key inside the caller's transaction, the one that
// commits the rows they cover. Intervals that touch are joined, so the
// ledger stays as small as its gaps allow.
func Record(ctx context.Context, tx *sql.Tx, key Key, status Status, runID string, add Set) error {
	if len(add) == 0 {
		return nil
	}
	stored, err := Read(ctx, tx, key, status)
	if err != nil {
		return err
	}
	for _, joined := range stored.Union(add) {
		if slices.ContainsFunc(stored, joined.equal) {
			continue
		}
		if err := replace(ctx, tx, key, status, runID, joined); err != nil {
			return fmt.Errorf("write coverage ledger: %w", err)
		}
	}
	return nil
}

// replace puts one interval in the place of those it contains.
func replace(ctx context.Context, tx *sql.Tx, key Key, status Status, runID string, i Interval) error {
	_, err := tx.ExecContext(ctx,
		`DELETE FROM sync_coverage WHERE stream = ? AND "filter" = ? AND status = ? AND from_ts >= ? AND to_ts <= ?`,
		key.Stream, key.Filter, string(status), i.From, i.To)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		`INSERT INTO sync_coverage (stream, "filter", status, from_ts, to_ts, run_id) VALUES (?, ?, ?, ?, ?, ?)`,
		key.Stream, key.Filter, string(status), i.From, i.To, runID)
	return err
}

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
