-- Events against the organisation's statistics: one row for each day and kind whose events have not expired.
-- Key: day, kind
-- Values of kind: alert, violation
--
-- day              DATE     UTC day.
-- kind             VARCHAR  alert or violation.
-- from_events      BIGINT   Stored events.
-- from_statistics  BIGINT   The statistics' figure; NULL if there is none.
-- difference       BIGINT   from_events - from_statistics.
-- comparable       BOOLEAN  Whether both are proven complete for the day, every bucket is closed, and no query of the events is limited to a policy.
WITH statistic AS (
  SELECT day, CAST(sum(alerts) AS BIGINT) AS alerts, CAST(sum(violations) AS BIGINT) AS violations, bool_and(closed AND complete) AS whole
  FROM bi.stats_org
  GROUP BY day
),
event AS (
  SELECT day, kind, CAST(sum(events) AS BIGINT) AS events FROM bi.events_daily GROUP BY day, kind
),
stream AS (
  SELECT day, CASE stream WHEN 'alerts' THEN 'alert' ELSE 'violation' END AS kind, bool_and(status = 'complete' AND filter = '{}') AS whole
  FROM bi.coverage_daily
  WHERE stream IN ('alerts', 'violations')
  GROUP BY day, stream
  HAVING NOT bool_or(status = 'expired')
)
SELECT
  c.day,
  c.kind,
  coalesce(e.events, 0) AS from_events,
  CASE c.kind WHEN 'alert' THEN s.alerts ELSE s.violations END AS from_statistics,
  coalesce(e.events, 0) - CASE c.kind WHEN 'alert' THEN s.alerts ELSE s.violations END AS difference,
  c.whole AND coalesce(s.whole, false) AS comparable
FROM stream c
LEFT JOIN event e ON e.day = c.day AND e.kind = c.kind
LEFT JOIN statistic s ON s.day = c.day
