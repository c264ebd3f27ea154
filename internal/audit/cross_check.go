package audit

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// crossCheck compares the statistics with the events of the same buckets, where
// events of every kind are synced.
func (v *verification) crossCheck(ctx context.Context) error {
	if v.options.Stats == nil {
		return nil
	}
	of := streams.Series{Stream: v.options.Stats.Stream, Bucket: v.options.Stats.Bucket}
	for _, list := range v.options.Lists {
		if query := list.Query; query.Key() != (api.Query{}).Key() || len(list.Policies) > 0 {
			continue // the statistics count what this stream leaves out
		}
		covered, err := v.stored.Coverage(ctx, streams.KeyOf(v.options.Privacy, list.Query), checkpoints.Covered)
		if err != nil {
			return err
		}
		for _, i := range covered {
			all, err := v.stored.crossChecks(ctx, schema.StreamByName(list.Name()), of, i)
			if err != nil {
				return err
			}
			v.report.CrossChecks = append(v.report.CrossChecks, all...)
		}
	}
	return nil
}

// crossChecks compares every unfiltered series of the organisation and of its
// repositories with the events of the same buckets. The statistics count a list's events
// in the column of its name. Buckets that are not closed, or do not start at a multiple
// of their length, are left out.
func (d *dataDir) crossChecks(ctx context.Context, list *schema.Stream, of streams.Series, i checkpoints.Interval) (all []CrossCheck, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stats, length := of.Stream, of.BucketLength()
	type row struct {
		scope string
		id    sql.NullString
		first sql.NullTime
		CrossCheck
	}
	fields := func(r *row) []any {
		return []any{&r.scope, &r.id, &r.Buckets, &r.Agree, &r.first, &r.Counted, &r.Stored}
	}
	rows, err := duckdb.ReadRows(ctx, d.Conn(), fields, fmt.Sprintf(`WITH events AS (
			SELECT time_bucket(to_seconds(?), "timestamp", TIMESTAMPTZ '2000-01-01 00:00:00+00') AS bucket, repo_id, count(*) AS n
			FROM %[3]s WHERE "timestamp" >= ? AND "timestamp" < ? GROUP BY ALL
		), sums AS (
			SELECT 'repo' AS scope, repo_id AS scope_id, bucket, n FROM events
			UNION ALL SELECT 'org', NULL, bucket, sum(n) FROM events GROUP BY bucket
		)
		SELECT s.scope, s.scope_id, count(*), count(*) FILTER (s.%[1]s = coalesce(n, 0)),
			min(s.bucket_start) FILTER (s.%[1]s <> coalesce(n, 0)), sum(s.%[1]s)::BIGINT, sum(coalesce(n, 0))::BIGINT
		FROM %[2]s s LEFT JOIN sums e
			ON s.scope = e.scope AND s.scope_id IS NOT DISTINCT FROM e.scope_id AND s.bucket_start = e.bucket
		WHERE s.closed AND s.scope IN ('org', 'repo') AND s.rule_id IS NULL AND s.api_key_id IS NULL AND s.bucket_size = ?
			AND s.bucket_start >= ? AND s.bucket_start + to_seconds(?) <= ? AND epoch_us(s.bucket_start) %% ? = 0 AND s.%[1]s IS NOT NULL
		GROUP BY ALL ORDER BY ALL`, schema.Ident(list.Name), schema.Ident(stats.Table.Name), schema.Ident(list.Table.Name)),
		length.Seconds(), i.From, i.To, of.Bucket, i.From, length.Seconds(), i.To, length.Microseconds())
	for _, r := range rows {
		of.Scope, of.ID = r.scope, r.id.String
		r.Series, r.First = of.Label()+", "+list.Name, r.first.Time.UTC()
		all = append(all, r.CrossCheck)
	}
	return all, duckdb.Wrap("read warehouse", err)
}
