-- How complete each day is: one row for each day and query that the configuration asks for.
-- Key: day, stream, filter
-- Values of status: complete, open, partial, missing, lost, expired
--
-- day          DATE     UTC day.
-- stream       VARCHAR  alerts, violations or policy_stats.
-- policy_id    VARCHAR  Events: the policy that the query is limited to; NULL if it is not.
-- scope        VARCHAR  Statistics: org, workspace or repo.
-- scope_id     VARCHAR  Statistics: the workspace or repository; NULL for the organisation.
-- rule_id      VARCHAR  Statistics: the policy rule they are limited to; NULL if they are not.
-- api_key_id   VARCHAR  Statistics: the API key they are limited to; NULL if they are not.
-- bucket_size  VARCHAR  Statistics: the length of a bucket.
-- filter       VARCHAR  The query, as sync_coverage has it.
-- status       VARCHAR  complete: the whole day is proven complete. open: the stream was not read to the end of the day yet. partial or missing: a part of the day, or all of it, is not proven complete, or is before the configured start. lost: the source can no longer give the rest. expired: its rows were dropped on purpose (retention).
-- rows         BIGINT   Stored rows of the query on the day.
WITH ledger AS (
  SELECT stream, filter, status, epoch_us(from_ts) AS from_us, epoch_us(to_ts) AS to_us
  FROM main.sync_coverage
  SEMI JOIN main.sync_queries USING (stream, filter)
),
reach AS (
  SELECT stream, min(from_us) AS from_us, max(to_us) FILTER (WHERE status = 'covered') AS to_us FROM ledger GROUP BY stream
),
first AS (
  SELECT stream, filter, min(from_us) AS from_us FROM ledger GROUP BY stream, filter
),
query AS (
  SELECT q.*, coalesce(epoch_us(q.start_ts), f.from_us, r.from_us) AS start_us, r.to_us AS reached_us
  FROM main.sync_queries q
  LEFT JOIN first f ON f.stream = q.stream AND f.filter = q.filter
  LEFT JOIN reach r ON r.stream = q.stream
),
days AS (
  SELECT *, CAST(unnest(generate_series(
    date_trunc('day', make_timestamp(start_us)), date_trunc('day', make_timestamp(greatest(reached_us, epoch_us(now())))), INTERVAL 1 DAY)) AS DATE) AS day
  FROM query
),
daily AS (
  SELECT *, epoch_us(CAST(day AS TIMESTAMP)) AS from_us, epoch_us(CAST(day AS TIMESTAMP)) + 86400000000 AS to_us FROM days
),
piece AS (
  SELECT *, CAST(unnest(generate_series(date_trunc('day', make_timestamp(from_us)), make_timestamp(to_us - 1), INTERVAL 1 DAY)) AS DATE) AS day FROM ledger
),
overlap AS (
  SELECT d.stream, d.filter, d.day,
    coalesce(sum(greatest(least(p.to_us, d.to_us) - greatest(p.from_us, d.from_us), 0)) FILTER (WHERE p.status = 'covered'), 0) AS covered_us,
    coalesce(sum(greatest(least(p.to_us, d.to_us) - greatest(p.from_us, d.from_us), 0)) FILTER (WHERE p.status = 'lost'), 0) AS lost_us,
    bool_or(p.status = 'expired') AS expired
  FROM daily d
  JOIN piece p ON p.stream = d.stream AND p.filter = d.filter AND p.day = d.day
  GROUP BY d.stream, d.filter, d.day
),
event AS (
  SELECT CASE kind WHEN 'alert' THEN 'alerts' ELSE 'violations' END AS stream, day, policy_id, sum(events) AS rows, grouping(policy_id) = 1 AS every
  FROM main.events_daily GROUP BY GROUPING SETS ((kind, day), (kind, day, policy_id))
),
bucket AS (
  SELECT 'policy_stats' AS stream, scope, scope_id, rule_id, api_key_id, bucket_size, CAST(make_timestamp(epoch_us(bucket_start)) AS DATE) AS day, count(*) AS rows
  FROM main.policy_stats GROUP BY ALL
)
SELECT
  d.day,
  d.stream,
  d.policy_id,
  d.scope,
  d.scope_id,
  d.rule_id,
  d.api_key_id,
  d.bucket_size,
  d.filter,
  CASE
    WHEN o.expired THEN 'expired'
    WHEN o.covered_us = d.to_us - d.from_us THEN 'complete'
    WHEN o.lost_us > 0 AND o.covered_us + o.lost_us = d.to_us - d.from_us THEN 'lost'
    WHEN d.reached_us < d.to_us AND coalesce(o.covered_us + o.lost_us, 0) >= d.reached_us - greatest(d.start_us, d.from_us) THEN 'open'
    WHEN coalesce(o.covered_us + o.lost_us, 0) = 0 THEN 'missing'
    ELSE 'partial'
  END AS status,
  CAST(coalesce(e.rows, b.rows, 0) AS BIGINT) AS rows
FROM daily d
LEFT JOIN overlap o ON o.stream = d.stream AND o.filter = d.filter AND o.day = d.day
LEFT JOIN event e ON e.stream = d.stream AND e.day = d.day AND e.every = (d.policy_id IS NULL) AND e.policy_id IS NOT DISTINCT FROM d.policy_id
LEFT JOIN bucket b ON b.stream = d.stream AND b.scope = d.scope AND b.scope_id IS NOT DISTINCT FROM d.scope_id AND b.rule_id IS NOT DISTINCT FROM d.rule_id
  AND b.api_key_id IS NOT DISTINCT FROM d.api_key_id AND b.bucket_size = d.bucket_size AND b.day = d.day
