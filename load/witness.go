package load

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Witness compares the counts of one statistics series with the events held.
type Witness struct {
	Scope, ScopeID, Event string // Event is alerts or violations
	Buckets, Agree        int64
	First                 time.Time // the earliest bucket that disagrees
	Counted, Held         int64     // events by the statistics, and those held
}

// Witnesses compares every unfiltered series of the organisation and of its
// repositories with the events of the same buckets, over [from, to). Buckets that
// are not closed, or do not start at a multiple of their length, are left out.
func (e *Evidence) Witnesses(ctx context.Context, event, bucket string, length time.Duration, from, to time.Time) ([]Witness, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rows, err := e.conn.QueryContext(ctx, fmt.Sprintf(`WITH events AS (
			SELECT time_bucket(to_seconds(?), "timestamp", TIMESTAMPTZ '2000-01-01 00:00:00+00') AS bucket, repo_id, count(*) AS n
			FROM %[1]s WHERE "timestamp" >= ? AND "timestamp" < ? GROUP BY ALL
		), sums AS (
			SELECT 'repo' AS scope, repo_id AS scope_id, bucket, n FROM events
			UNION ALL SELECT 'org', NULL, bucket, sum(n) FROM events GROUP BY bucket
		)
		SELECT s.scope, s.scope_id, count(*), count(*) FILTER (s.%[1]s = coalesce(n, 0)),
			min(s.bucket_start) FILTER (s.%[1]s <> coalesce(n, 0)), sum(s.%[1]s)::BIGINT, sum(coalesce(n, 0))::BIGINT
		FROM policy_stats s LEFT JOIN sums e
			ON s.scope = e.scope AND s.scope_id IS NOT DISTINCT FROM e.scope_id AND s.bucket_start = e.bucket
		WHERE s.closed AND s.scope IN ('org', 'repo') AND s.rule_id IS NULL AND s.api_key_id IS NULL AND s.bucket_size = ?
			AND s.bucket_start >= ? AND s.bucket_start + to_seconds(?) <= ? AND epoch_us(s.bucket_start) %% ? = 0 AND s.%[1]s IS NOT NULL
		GROUP BY ALL ORDER BY ALL`, schema.Ident(event)),
		length.Seconds(), from, to, bucket, from, length.Seconds(), to, length.Microseconds())
	if err != nil {
		return nil, duckdb.Wrap("read warehouse", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Witness
	for rows.Next() {
		w := Witness{Event: event}
		var id sql.NullString
		var first sql.NullTime
		if err := rows.Scan(&w.Scope, &id, &w.Buckets, &w.Agree, &first, &w.Counted, &w.Held); err != nil {
			return nil, duckdb.Wrap("read warehouse", err)
		}
		w.ScopeID, w.First = id.String, first.Time.UTC()
		all = append(all, w)
	}
	return all, duckdb.Wrap("read warehouse", rows.Err())
}
