WITH counted AS (
  SELECT
    CAST(date_trunc('week', day) AS DATE) AS week, policy_id, any_value(policy_name) AS policy_name,
    CAST(sum(events) AS BIGINT) AS violations,
    CAST(sum(events) FILTER (severity = 'HIGH') AS BIGINT) AS high,
    CAST(sum(blocked) AS BIGINT) AS blocked
  FROM {{ source('flashback_bi', 'events_daily') }}
  WHERE kind = 'violation'
  GROUP BY ALL
)
SELECT c.* REPLACE (coalesce(high, 0) AS high), w.complete
FROM counted c
JOIN (SELECT week, bool_and(week_complete) AS complete FROM {{ source('flashback_bi', 'calendar') }} GROUP BY week) w USING (week)
