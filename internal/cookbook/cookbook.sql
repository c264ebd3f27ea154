-- Questions for flashback-sync ask and docs/cookbook.md. Each has a name, the question, and for whom it is.
-- first_day and last_day are the days of the period that is asked about.

-- high-severity-by-policy: Which policies had violations of high severity, and how many were blocked? (security)
SELECT policy_name, sum(events) AS violations, sum(blocked) AS blocked, round(100.0 * sum(blocked) / sum(events), 1) AS blocked_percent
FROM bi.events_daily WHERE kind = 'violation' AND severity = 'HIGH' AND day BETWEEN first_day AND last_day
GROUP BY policy_name ORDER BY violations DESC, policy_name;

-- not-blocked: Which violations of high severity got through? (security)
SELECT happened_at, policy_name, user_name, repo_name, model, id
FROM bi.events WHERE kind = 'violation' AND severity = 'HIGH' AND NOT blocked AND day BETWEEN first_day AND last_day
ORDER BY happened_at DESC, id LIMIT 100;

-- repeat-offenders: Which users had violations on five days or more? (security)
SELECT user_name, count(DISTINCT day) AS days, count(*) AS violations, count(*) FILTER (blocked) AS blocked, count(DISTINCT policy_id) AS policies
FROM bi.events WHERE kind = 'violation' AND day BETWEEN first_day AND last_day
GROUP BY user_id, user_name HAVING count(DISTINCT day) >= 5 ORDER BY violations DESC, user_name LIMIT 50;

-- new-policies: Which policies occurred for the first time? (security)
SELECT name, first_seen, alerts, violations, blocked
FROM bi.policies WHERE CAST(first_seen AS DATE) BETWEEN first_day AND last_day
ORDER BY first_seen, name;

-- new-models: Which models occurred for the first time? (platform)
SELECT name, first_seen, alerts, violations
FROM bi.models WHERE CAST(first_seen AS DATE) BETWEEN first_day AND last_day
ORDER BY first_seen, name;

-- new-users: Which users occurred for the first time? (security)
SELECT name, first_seen, alerts, violations, blocked
FROM bi.users WHERE CAST(first_seen AS DATE) BETWEEN first_day AND last_day
ORDER BY first_seen DESC, name LIMIT 100;

-- silent-policies: Which policies had events before the period, and none in it? (security)
SELECT name, last_seen, alerts, violations
FROM bi.policies p WHERE first_seen < first_day AND NOT EXISTS (FROM bi.events_daily e WHERE e.policy_id = p.id AND day BETWEEN first_day AND last_day)
ORDER BY last_seen DESC, name;

-- renamed: What was renamed? (compliance)
SELECT dimension, name AS name_now, earlier_names FROM (
  SELECT 'policy' AS dimension, * FROM bi.policies UNION ALL SELECT 'repo', * FROM bi.repos UNION ALL SELECT 'api_key', * FROM bi.api_keys UNION ALL SELECT 'user', * FROM bi.users)
WHERE earlier_names IS NOT NULL ORDER BY ALL;

-- weekly: How many alerts and violations came each week? (lead)
SELECT week, sum(events) FILTER (kind = 'alert') AS alerts, sum(events) FILTER (kind = 'violation') AS violations, sum(blocked) AS blocked, bool_and(week_complete) AS complete
FROM bi.events_daily JOIN bi.calendar USING (day) WHERE week BETWEEN date_trunc('week', first_day) AND last_day
GROUP BY week ORDER BY week;

-- daily: How many alerts and violations came each day? (lead)
SELECT c.day, c.weekday, coalesce(sum(e.events) FILTER (kind = 'alert'), 0) AS alerts, coalesce(sum(e.events) FILTER (kind = 'violation'), 0) AS violations, c.complete
FROM bi.calendar c LEFT JOIN bi.events_daily e USING (day) WHERE c.day BETWEEN first_day AND last_day
GROUP BY ALL ORDER BY c.day;

-- weekdays: On which days of the week do violations happen? (security)
SELECT weekday, count(*) AS violations, count(*) FILTER (severity = 'HIGH') AS high
FROM bi.events JOIN bi.calendar USING (day) WHERE kind = 'violation' AND day BETWEEN first_day AND last_day
GROUP BY weekday ORDER BY min(isodow(day));

-- hours: At which hour of the day (UTC) do violations happen? (security)
SELECT hour(happened_at) AS hour, count(*) AS violations, bar(count(*), 0, max(count(*)) OVER (), 30) AS chart
FROM bi.events WHERE kind = 'violation' AND day BETWEEN first_day AND last_day
GROUP BY hour ORDER BY hour;

-- alert-to-violation: In how many conversations did a violation follow an alert, and how soon? (security)
SELECT max_severity, count(*) AS conversations, round(median(seconds_between)) AS median_seconds, count(*) FILTER (seconds_between < 60) AS within_a_minute
FROM bi.conversations WHERE seconds_between >= 0 AND CAST(first_violation_at AS DATE) BETWEEN first_day AND last_day
GROUP BY max_severity ORDER BY conversations DESC, max_severity;

-- worst-conversations: Which conversations had most violations? (security)
SELECT conversation_id, user_name, repo_name, violations, blocked, max_severity, first_violation_at
FROM bi.conversations WHERE CAST(first_violation_at AS DATE) BETWEEN first_day AND last_day
ORDER BY violations DESC, conversation_id LIMIT 20;

-- tokens-by-repo: What do the policies' own checks cost in tokens, by repository? (FinOps)
SELECT repo_name, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out, bool_and(complete) AS complete
FROM bi.stats_repo WHERE day BETWEEN first_day AND last_day
GROUP BY repo_id, repo_name ORDER BY tokens_in DESC, repo_name;

-- tokens-by-month: What do the policies' own checks cost in tokens, by month? (FinOps)
SELECT strftime(day, '%Y-%m') AS month, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out, bool_and(complete) AS complete
FROM bi.stats_org WHERE day BETWEEN first_day AND last_day
GROUP BY month ORDER BY month;

-- tokens-per-violation: How many tokens were read for each violation found, by repository? (FinOps)
SELECT repo_name, sum(violations) AS violations, sum(policy_tokens_in) // nullif(sum(violations), 0) AS tokens_in_per_violation
FROM bi.stats_repo WHERE day BETWEEN first_day AND last_day
GROUP BY repo_id, repo_name ORDER BY tokens_in_per_violation DESC NULLS LAST, repo_name;

-- models: Which models and providers have most violations? (platform)
SELECT provider, model, sum(events) FILTER (kind = 'alert') AS alerts, sum(events) FILTER (kind = 'violation') AS violations, sum(blocked) AS blocked
FROM bi.events_daily WHERE day BETWEEN first_day AND last_day
GROUP BY provider, model ORDER BY violations DESC NULLS LAST, provider, model;

-- keys: Which API keys have most violations, and in how many repositories? (platform)
SELECT api_key_name, count(DISTINCT repo_id) AS repos, sum(events) AS violations, sum(blocked) AS blocked
FROM bi.events_daily WHERE kind = 'violation' AND day BETWEEN first_day AND last_day
GROUP BY api_key_id, api_key_name ORDER BY violations DESC, api_key_name;

-- hosts: Which hosts were called? (platform)
SELECT host, count(*) AS events, min(day) AS first_day_seen, max(day) AS last_day_seen
FROM bi.events WHERE day BETWEEN first_day AND last_day
GROUP BY host ORDER BY events DESC, host;

-- repos: Which repositories got worse, against the same number of days before? (lead)
SELECT repo_name, sum(events) FILTER (day >= first_day) AS violations, sum(events) FILTER (day < first_day) AS before, (SELECT count(*) FROM bi.calendar WHERE complete AND day BETWEEN first_day - CAST(last_day - first_day + 1 AS INTEGER) AND first_day - 1) = last_day - first_day + 1 AS before_complete
FROM bi.events_daily WHERE kind = 'violation' AND day BETWEEN first_day - CAST(last_day - first_day + 1 AS INTEGER) AND last_day
GROUP BY repo_id, repo_name ORDER BY coalesce(violations, 0) - coalesce(before, 0) DESC, repo_name LIMIT 10;

-- late: How many events came after their day had been complete? (compliance)
SELECT day, kind, count(*) AS late, max(first_synced_at) AS last_came_at
FROM bi.events WHERE late AND day BETWEEN first_day AND last_day
GROUP BY day, kind ORDER BY day, kind;

-- incomplete: Which days are not complete, and why? (compliance)
SELECT day, stream, status, count(*) AS queries
FROM bi.coverage_daily WHERE status <> 'complete' AND day BETWEEN first_day AND last_day
GROUP BY ALL ORDER BY day, stream;

-- reconciliation: On which days do events and statistics differ? (compliance)
SELECT day, kind, from_events, from_statistics, difference
FROM bi.reconciliation_daily WHERE comparable AND difference <> 0 AND day BETWEEN first_day AND last_day
ORDER BY day, kind;

-- freshness: How fresh is each stream, and when was it last compared with the source? (compliance)
SELECT * FROM bi.freshness ORDER BY stream;
