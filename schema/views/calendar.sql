-- Every UTC day from the first stored row to today.
-- Key: day
--
-- day            DATE     UTC day.
-- week           DATE     Monday of its week.
-- month          DATE     First day of its month.
-- weekday        VARCHAR  Monday to Sunday.
-- complete       BOOLEAN  Whether the day is proven complete for every query that the configuration asks for.
-- week_complete  BOOLEAN  Whether all seven days of its week are.
WITH first AS (
  SELECT least((SELECT min(day) FROM main.events_daily), (SELECT CAST(make_timestamp(min(epoch_us(bucket_start))) AS DATE) FROM main.policy_stats)) AS day
),
day AS (
  SELECT CAST(unnest(generate_series(CAST(day AS TIMESTAMP), date_trunc('day', make_timestamp(epoch_us(now()))), INTERVAL 1 DAY)) AS DATE) AS day
  FROM first
),
complete AS (
  SELECT day, bool_and(status = 'complete') AS complete FROM bi.coverage_daily GROUP BY day
)
SELECT
  d.day,
  CAST(date_trunc('week', d.day) AS DATE) AS week,
  CAST(date_trunc('month', d.day) AS DATE) AS month,
  dayname(d.day) AS weekday,
  coalesce(c.complete, false) AS complete,
  count(*) FILTER (WHERE c.complete) OVER (PARTITION BY date_trunc('week', d.day)) = 7 AS week_complete
FROM day d
LEFT JOIN complete c ON c.day = d.day
