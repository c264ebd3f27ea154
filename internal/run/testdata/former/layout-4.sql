SELECT policy_name, sum(events) AS violations, sum(blocked) AS blocked, round(100.0 * sum(blocked) / sum(events), 1) AS blocked_percent
FROM bi.events_daily WHERE kind = 'violation' AND severity = 'HIGH' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY policy_name ORDER BY violations DESC;

SELECT happened_at, policy_name, user_name, repo_name, model, id
FROM bi.events WHERE kind = 'violation' AND severity = 'HIGH' AND NOT blocked AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY happened_at DESC LIMIT 100;

SELECT user_name, count(DISTINCT day) AS days, count(*) AS violations, count(*) FILTER (blocked) AS blocked, count(DISTINCT policy_id) AS policies
FROM bi.events WHERE kind = 'violation' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY user_id, user_name HAVING count(DISTINCT day) >= 5 ORDER BY violations DESC LIMIT 50;

SELECT name, first_seen, alerts, violations, blocked
FROM bi.policies WHERE CAST(first_seen AS DATE) BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY first_seen;

SELECT name, first_seen, alerts, violations
FROM bi.models WHERE CAST(first_seen AS DATE) BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY first_seen;

SELECT name, first_seen, alerts, violations, blocked
FROM bi.users WHERE CAST(first_seen AS DATE) BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY first_seen DESC LIMIT 100;

SELECT name, last_seen, alerts, violations
FROM bi.policies p WHERE first_seen < DATE '2026-10-01' AND NOT EXISTS (FROM bi.events_daily e WHERE e.policy_id = p.id AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31')
ORDER BY last_seen DESC;

SELECT dimension, name AS name_now, earlier_names FROM (
  SELECT 'policy' AS dimension, * FROM bi.policies UNION ALL SELECT 'repo', * FROM bi.repos UNION ALL SELECT 'api_key', * FROM bi.api_keys UNION ALL SELECT 'user', * FROM bi.users)
WHERE earlier_names IS NOT NULL ORDER BY ALL;

SELECT week, sum(events) FILTER (kind = 'alert') AS alerts, sum(events) FILTER (kind = 'violation') AS violations, sum(blocked) AS blocked, bool_and(week_complete) AS complete
FROM bi.events_daily JOIN bi.calendar USING (day) WHERE week BETWEEN date_trunc('week', DATE '2026-10-01') AND DATE '2026-12-31'
GROUP BY week ORDER BY week;

SELECT c.day, c.weekday, coalesce(sum(e.events) FILTER (kind = 'alert'), 0) AS alerts, coalesce(sum(e.events) FILTER (kind = 'violation'), 0) AS violations, c.complete
FROM bi.calendar c LEFT JOIN bi.events_daily e USING (day) WHERE c.day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY ALL ORDER BY c.day;

SELECT weekday, count(*) AS violations, count(*) FILTER (severity = 'HIGH') AS high
FROM bi.events JOIN bi.calendar USING (day) WHERE kind = 'violation' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY weekday ORDER BY min(isodow(day));

SELECT hour(happened_at) AS hour, count(*) AS violations, bar(count(*), 0, max(count(*)) OVER (), 30) AS chart
FROM bi.events WHERE kind = 'violation' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY hour ORDER BY hour;

SELECT max_severity, count(*) AS conversations, median(seconds_between) AS median_seconds, count(*) FILTER (seconds_between < 60) AS within_a_minute
FROM bi.conversations WHERE seconds_between >= 0 AND CAST(first_violation_at AS DATE) BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY max_severity ORDER BY conversations DESC;

SELECT conversation_id, user_name, repo_name, violations, blocked, max_severity, first_violation_at
FROM bi.conversations WHERE CAST(first_violation_at AS DATE) BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY violations DESC, conversation_id LIMIT 20;

SELECT repo_name, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out, bool_and(complete) AS complete
FROM bi.stats_repo WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY repo_id, repo_name ORDER BY tokens_in DESC;

SELECT strftime(day, '%Y-%m') AS month, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out, bool_and(complete) AS complete
FROM bi.stats_org WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY month ORDER BY month;

SELECT repo_name, sum(violations) AS violations, sum(policy_tokens_in) // nullif(sum(violations), 0) AS tokens_in_per_violation
FROM bi.stats_repo WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY repo_id, repo_name ORDER BY tokens_in_per_violation DESC NULLS LAST;

SELECT provider, model, sum(events) FILTER (kind = 'alert') AS alerts, sum(events) FILTER (kind = 'violation') AS violations, sum(blocked) AS blocked
FROM bi.events_daily WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY provider, model ORDER BY violations DESC NULLS LAST;

SELECT api_key_name, count(DISTINCT repo_id) AS repos, sum(events) AS violations, sum(blocked) AS blocked
FROM bi.events_daily WHERE kind = 'violation' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY api_key_id, api_key_name ORDER BY violations DESC;

SELECT host, count(*) AS events, min(day) AS first_day_seen, max(day) AS last_day_seen
FROM bi.events WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY host ORDER BY events DESC;

SELECT repo_name, sum(events) FILTER (day >= DATE '2026-10-01') AS violations, sum(events) FILTER (day < DATE '2026-10-01') AS before, (SELECT count(*) FROM bi.calendar WHERE complete AND day BETWEEN DATE '2026-10-01' - CAST(DATE '2026-12-31' - DATE '2026-10-01' + 1 AS INTEGER) AND DATE '2026-10-01' - 1) = DATE '2026-12-31' - DATE '2026-10-01' + 1 AS before_complete
FROM bi.events_daily WHERE kind = 'violation' AND day BETWEEN DATE '2026-10-01' - CAST(DATE '2026-12-31' - DATE '2026-10-01' + 1 AS INTEGER) AND DATE '2026-12-31'
GROUP BY repo_id, repo_name ORDER BY coalesce(violations, 0) - coalesce(before, 0) DESC LIMIT 10;

SELECT day, kind, count(*) AS late, max(first_synced_at) AS last_came_at
FROM bi.events WHERE late AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY day, kind ORDER BY day, kind;

SELECT day, stream, status, count(*) AS queries
FROM bi.coverage_daily WHERE status <> 'complete' AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
GROUP BY ALL ORDER BY day, stream;

SELECT day, kind, from_events, from_statistics, difference
FROM bi.reconciliation_daily WHERE comparable AND difference <> 0 AND day BETWEEN DATE '2026-10-01' AND DATE '2026-12-31'
ORDER BY day, kind;

SELECT * FROM bi.freshness ORDER BY stream;
