-- How fresh each stream is: one row for each.
-- Key: stream
--
-- stream            VARCHAR    alerts, violations or policy_stats.
-- read_up_to        TIMESTAMP  Up to here every query of the stream is read without a gap (UTC); NULL if one has a gap at its start.
-- last_success_at   TIMESTAMP  When a run last read everything that was due (UTC).
-- last_verified_at  TIMESTAMP  When a run last compared the totals with the source, and they matched (UTC); NULL if none did.
-- rows              BIGINT     Stored rows.
WITH run AS (
  SELECT
    stream,
    max(finished_at) FILTER (WHERE status = 'ok') AS last_success_at,
    max(finished_at) FILTER (WHERE verified = 'match') AS last_verified_at
  FROM main.sync_runs
  GROUP BY stream
),
stored AS (
  SELECT 'alerts' AS stream, count(*) AS rows FROM main.alerts
  UNION ALL SELECT 'violations', count(*) FROM main.violations
  UNION ALL SELECT 'policy_stats', count(*) FROM main.policy_stats
)
SELECT
  q.stream,
  CASE WHEN count(*) = count(q.complete_to) THEN make_timestamp(epoch_us(min(q.complete_to))) END AS read_up_to,
  make_timestamp(epoch_us(any_value(r.last_success_at))) AS last_success_at,
  make_timestamp(epoch_us(any_value(r.last_verified_at))) AS last_verified_at,
  any_value(s.rows) AS rows
FROM main.sync_queries q
LEFT JOIN run r ON r.stream = q.stream
LEFT JOIN stored s ON s.stream = q.stream
GROUP BY q.stream
