CREATE OR REPLACE VIEW {{view "names"}} AS
WITH event AS (
  SELECT org, policy_id, policy_name, repo_id, repo_name, user_id, user_name, repo_ai_api_key_id, repo_ai_api_key_name, llm_model, timestamp AS at_time,
    1 AS alerts, 0 AS violations, 0 AS blocked
  FROM {{table "alerts"}}
  UNION ALL
  SELECT org, policy_id, policy_name, repo_id, repo_name, user_id, user_name, repo_ai_api_key_id, repo_ai_api_key_name, llm_model, timestamp AS at_time,
    0 AS alerts, 1 AS violations, CASE WHEN block THEN 1 ELSE 0 END AS blocked
  FROM {{table "violations"}}
),
named AS (
  SELECT org, 'policy' AS dimension, policy_id AS id, policy_name AS name, at_time, alerts, violations, blocked FROM event
  UNION ALL
  SELECT org, 'repo', repo_id, repo_name, at_time, alerts, violations, blocked FROM event
  UNION ALL
  SELECT org, 'user', user_id, user_name, at_time, alerts, violations, blocked FROM event
  UNION ALL
  SELECT org, 'api_key', repo_ai_api_key_id, repo_ai_api_key_name, at_time, alerts, violations, blocked FROM event
  UNION ALL
  SELECT org, 'model', llm_model, llm_model, at_time, alerts, violations, blocked FROM event
),
counted AS (
  SELECT org, dimension, id, name, min(at_time) AS first_seen, max(at_time) AS last_seen,
    sum(alerts) AS alerts, sum(violations) AS violations, sum(blocked) AS blocked
  FROM named WHERE id IS NOT NULL
  GROUP BY org, dimension, id, name
)
SELECT org, dimension, id, name,
  row_number() OVER (PARTITION BY org, dimension, id ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, last_seen DESC, name DESC) = 1 AS latest,
  first_seen, last_seen, alerts, violations, blocked
FROM counted;
{{range $dimension, $view := list "policies" "repos" "users" "api_keys" "models"}}
CREATE OR REPLACE VIEW {{view $view}} AS
SELECT org, id,
  max(CASE WHEN latest THEN name END) AS name,
  {{earlierNames}} AS earlier_names,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  sum(alerts) AS alerts,
  sum(violations) AS violations,
  sum(blocked) AS blocked
FROM {{view "names"}}
WHERE dimension = '{{index (list "policy" "repo" "user" "api_key" "model") $dimension}}'
GROUP BY org, id;
{{end}}
CREATE OR REPLACE VIEW {{view "events"}} AS
WITH event AS (
  SELECT org, 'alert' AS kind, id, timestamp, policy_id, policy_name, conversation_id, repo_id, repo_name, user_id, user_name,
    repo_ai_api_key_id, repo_ai_api_key_name, llm_type, llm_model, host, 'NONE' AS severity, false AS blocked, message AS text, _first_synced_at
  FROM {{table "alerts"}}
  UNION ALL
  SELECT org, 'violation' AS kind, id, timestamp, policy_id, policy_name, conversation_id, repo_id, repo_name, user_id, user_name,
    repo_ai_api_key_id, repo_ai_api_key_name, llm_type, llm_model, host, coalesce(severity, 'NONE') AS severity, coalesce(block, false) AS blocked,
    explanation AS text, _first_synced_at
  FROM {{table "violations"}}
)
SELECT e.org, e.kind, e.id,
  e.timestamp AS {{quoted "at"}},
  e.timestamp AS happened_at,
  {{day "e.timestamp"}} AS day,
  CAST(date_trunc('week', {{day "e.timestamp"}}) AS DATE) AS week,
  CAST(date_trunc('month', {{day "e.timestamp"}}) AS DATE) AS month,
  e.policy_id, coalesce(p.name, e.policy_name) AS policy_name, e.policy_name AS policy_name_then,
  e.conversation_id,
  e.repo_id, coalesce(r.name, e.repo_name) AS repo_name,
  e.user_id, coalesce(u.name, e.user_name) AS user_name,
  e.repo_ai_api_key_id AS api_key_id, coalesce(k.name, e.repo_ai_api_key_name) AS api_key_name,
  e.llm_type AS provider, e.llm_model AS model, e.host,
  e.severity,
  CASE e.severity WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 WHEN 'LOW' THEN 1 WHEN 'NONE' THEN 0 END AS severity_rank,
  e.blocked, e.text,
  e._first_synced_at AS first_synced_at
FROM event e
LEFT JOIN {{view "policies"}} p ON p.org = e.org AND p.id = e.policy_id
LEFT JOIN {{view "repos"}} r ON r.org = e.org AND r.id = e.repo_id
LEFT JOIN {{view "users"}} u ON u.org = e.org AND u.id = e.user_id
LEFT JOIN {{view "api_keys"}} k ON k.org = e.org AND k.id = e.repo_ai_api_key_id;

CREATE OR REPLACE VIEW {{view "events_daily"}} AS
SELECT org, day, kind, policy_id, policy_name, repo_id, repo_name, api_key_id, api_key_name, provider, model, severity, events, blocked, complete
FROM {{table "events_daily"}};

CREATE OR REPLACE VIEW {{view "conversations"}} AS
WITH event AS (
  SELECT org, conversation_id, timestamp AS at_time, user_id, repo_id, 1 AS alerts, 0 AS violations, 0 AS blocked, 0 AS severity_rank
  FROM {{table "alerts"}} WHERE conversation_id IS NOT NULL
  UNION ALL
  SELECT org, conversation_id, timestamp AS at_time, user_id, repo_id, 0 AS alerts, 1 AS violations, CASE WHEN block THEN 1 ELSE 0 END AS blocked,
    CASE severity WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 WHEN 'LOW' THEN 1 ELSE 0 END AS severity_rank
  FROM {{table "violations"}} WHERE conversation_id IS NOT NULL
),
conversation AS (
  SELECT org, conversation_id,
    min_by(user_id, at_time) FILTER (WHERE user_id IS NOT NULL) AS user_id,
    min_by(repo_id, at_time) FILTER (WHERE repo_id IS NOT NULL) AS repo_id,
    min(CASE WHEN alerts = 1 THEN at_time END) AS first_alert_at,
    min(CASE WHEN violations = 1 THEN at_time END) AS first_violation_at,
    sum(alerts) AS alerts, sum(violations) AS violations, sum(blocked) AS blocked, max(severity_rank) AS max_rank
  FROM event
  GROUP BY org, conversation_id
)
SELECT c.org, c.conversation_id, c.user_id, u.name AS user_name, c.repo_id, r.name AS repo_name, c.first_alert_at, c.first_violation_at,
  CAST({{micros "c.first_violation_at"}} - {{micros "c.first_alert_at"}} AS double) / 1e6 AS seconds_between,
  c.alerts, c.violations, c.blocked,
  CASE c.max_rank WHEN 3 THEN 'HIGH' WHEN 2 THEN 'MEDIUM' WHEN 1 THEN 'LOW' ELSE 'NONE' END AS max_severity
FROM conversation c
LEFT JOIN {{view "users"}} u ON u.org = c.org AND u.id = c.user_id
LEFT JOIN {{view "repos"}} r ON r.org = c.org AND r.id = c.repo_id;

CREATE OR REPLACE VIEW {{view "coverage_daily"}} AS
WITH ledger AS (
  SELECT c.org, c.stream, c.filter, c.status, {{micros "c.from_ts"}} AS from_us, {{micros "c.to_ts"}} AS to_us
  FROM {{table "coverage"}} c
  JOIN {{table "queries"}} q ON q.org = c.org AND q.stream = c.stream AND q.filter = c.filter
),
reach AS (
  SELECT org, stream, min(from_us) AS from_us, max(CASE WHEN status = 'covered' THEN to_us END) AS to_us FROM ledger GROUP BY org, stream
),
earliest AS (
  SELECT org, stream, filter, min(from_us) AS from_us FROM ledger GROUP BY org, stream, filter
),
query AS (
  SELECT q.org, q.stream, q.filter, q.policy_id, q.scope, q.scope_id, q.rule_id, q.api_key_id, q.bucket_size,
    coalesce({{micros "q.start_ts"}}, e.from_us, r.from_us) AS start_us, r.to_us AS reached_us, {{micros "current_timestamp"}} AS now_us
  FROM {{table "queries"}} q
  LEFT JOIN earliest e ON e.org = q.org AND e.stream = q.stream AND e.filter = q.filter
  LEFT JOIN reach r ON r.org = q.org AND r.stream = q.stream
),
daily AS (
  SELECT org, stream, filter, policy_id, scope, scope_id, rule_id, api_key_id, bucket_size, start_us, reached_us,
    n * 86400000000 AS from_us, (n + 1) * 86400000000 AS to_us, {{date "n"}} AS day
  FROM query {{days "start_us" "greatest(coalesce(reached_us, now_us), now_us)"}}
),
piece AS (
  SELECT org, stream, filter, status, from_us, to_us, {{date "n"}} AS day FROM ledger {{days "from_us" "to_us - 1"}}
),
overlap AS (
  SELECT d.org, d.stream, d.filter, d.day,
    sum(CASE WHEN p.status = 'covered' THEN least(p.to_us, d.to_us) - greatest(p.from_us, d.from_us) ELSE 0 END) AS covered_us,
    sum(CASE WHEN p.status = 'lost' THEN least(p.to_us, d.to_us) - greatest(p.from_us, d.from_us) ELSE 0 END) AS lost_us,
    bool_or(p.status = 'expired') AS expired
  FROM daily d
  JOIN piece p ON p.org = d.org AND p.stream = d.stream AND p.filter = d.filter AND p.day = d.day
  GROUP BY d.org, d.stream, d.filter, d.day
),
event AS (
  SELECT org, CASE kind WHEN 'alert' THEN 'alerts' ELSE 'violations' END AS stream, day, policy_id, sum(events) AS n, false AS every
  FROM {{table "events_daily"}} GROUP BY org, kind, day, policy_id
  UNION ALL
  SELECT org, CASE kind WHEN 'alert' THEN 'alerts' ELSE 'violations' END AS stream, day, NULL AS policy_id, sum(events) AS n, true AS every
  FROM {{table "events_daily"}} GROUP BY org, kind, day
),
bucket AS (
  SELECT org, scope, scope_id, rule_id, api_key_id, bucket_size, {{day "bucket_start"}} AS day, count(*) AS n
  FROM {{table "policy_stats"}} GROUP BY org, scope, scope_id, rule_id, api_key_id, bucket_size, {{day "bucket_start"}}
)
SELECT d.org, d.day, d.stream, d.policy_id, d.scope, d.scope_id, d.rule_id, d.api_key_id, d.bucket_size, d.filter,
  CASE
    WHEN o.expired THEN 'expired'
    WHEN o.covered_us = d.to_us - d.from_us THEN 'complete'
    WHEN o.lost_us > 0 AND o.covered_us + o.lost_us = d.to_us - d.from_us THEN 'lost'
    WHEN d.reached_us < d.to_us AND coalesce(o.covered_us + o.lost_us, 0) >= d.reached_us - greatest(d.start_us, d.from_us) THEN 'open'
    WHEN coalesce(o.covered_us + o.lost_us, 0) = 0 THEN 'missing'
    ELSE 'partial'
  END AS status,
  coalesce(e.n, b.n, 0) AS {{quoted "rows"}}
FROM daily d
LEFT JOIN overlap o ON o.org = d.org AND o.stream = d.stream AND o.filter = d.filter AND o.day = d.day
LEFT JOIN event e ON e.org = d.org AND e.stream = d.stream AND e.day = d.day AND e.every = (d.policy_id IS NULL) AND coalesce(e.policy_id, '') = coalesce(d.policy_id, '')
LEFT JOIN bucket b ON b.org = d.org AND d.stream = 'policy_stats' AND b.scope = d.scope AND coalesce(b.scope_id, '') = coalesce(d.scope_id, '')
  AND coalesce(b.rule_id, '') = coalesce(d.rule_id, '') AND coalesce(b.api_key_id, '') = coalesce(d.api_key_id, '') AND b.bucket_size = d.bucket_size AND b.day = d.day;

CREATE OR REPLACE VIEW {{view "calendar"}} AS
WITH earliest AS (
  SELECT org, min(day) AS day
  FROM (SELECT org, day FROM {{table "events_daily"}} UNION ALL SELECT org, {{day "bucket_start"}} AS day FROM {{table "policy_stats"}}) stored
  GROUP BY org
),
bound AS (
  SELECT org, {{number "day"}} * 86400000000 AS from_us, {{micros "current_timestamp"}} AS now_us FROM earliest
),
each_day AS (
  SELECT org, {{date "n"}} AS day FROM bound {{days "from_us" "now_us"}}
),
complete AS (
  SELECT org, day, bool_and(status = 'complete') AS complete FROM {{view "coverage_daily"}} GROUP BY org, day
)
SELECT d.org, d.day,
  CAST(date_trunc('week', d.day) AS DATE) AS week,
  CAST(date_trunc('month', d.day) AS DATE) AS month,
  {{weekday "d.day"}} AS weekday,
  coalesce(c.complete, false) AS complete,
  count(CASE WHEN c.complete THEN 1 END) OVER (PARTITION BY d.org, date_trunc('week', d.day)) = 7 AS week_complete
FROM each_day d
LEFT JOIN complete c ON c.org = d.org AND c.day = d.day;

CREATE OR REPLACE VIEW {{view "freshness"}} AS
WITH stored AS (
  SELECT org, 'alerts' AS stream, count(*) AS n FROM {{table "alerts"}} GROUP BY org
  UNION ALL
  SELECT org, 'violations' AS stream, count(*) AS n FROM {{table "violations"}} GROUP BY org
  UNION ALL
  SELECT org, 'policy_stats' AS stream, count(*) AS n FROM {{table "policy_stats"}} GROUP BY org
),
asked AS (
  SELECT org, stream, CASE WHEN count(*) = count(complete_to) THEN min(complete_to) END AS read_up_to FROM {{table "queries"}} GROUP BY org, stream
)
SELECT a.org, a.stream, a.read_up_to, coalesce(s.n, 0) AS {{quoted "rows"}}
FROM asked a
LEFT JOIN stored s ON s.org = a.org AND s.stream = a.stream;
{{range $scope := list "org" "workspace" "repo"}}
CREATE OR REPLACE VIEW {{view (print "stats_" $scope)}} AS
SELECT s.org, s.bucket_start, {{day "s.bucket_start"}} AS day,
  {{if ne $scope "org"}}s.scope_id AS {{$scope}}_id, {{end}}{{if eq $scope "repo"}}r.name AS repo_name, {{end}}s.bucket_size, s.violations, s.alerts, s.blocks,
  s.severity_low, s.severity_medium, s.severity_high, s.policy_tokens_in, s.policy_tokens_out, s.closed,
  coalesce(c.status = 'complete', false) AS complete
FROM {{table "policy_stats"}} s
JOIN {{table "queries"}} q ON q.org = s.org AND q.scope = s.scope AND coalesce(q.scope_id, '') = coalesce(s.scope_id, '') AND q.bucket_size = s.bucket_size
  AND q.rule_id IS NULL AND q.api_key_id IS NULL
LEFT JOIN {{view "coverage_daily"}} c ON c.org = q.org AND c.stream = q.stream AND c.filter = q.filter AND c.day = {{day "s.bucket_start"}}
{{- if eq $scope "repo"}}
LEFT JOIN {{view "repos"}} r ON r.org = s.org AND r.id = s.scope_id
{{- end}}
WHERE s.scope = '{{$scope}}' AND s.rule_id IS NULL AND s.api_key_id IS NULL;
{{end}}
CREATE OR REPLACE VIEW {{view "reconciliation_daily"}} AS
WITH statistic AS (
  SELECT org, day, sum(alerts) AS alerts, sum(violations) AS violations, bool_and(closed AND complete) AS whole
  FROM {{view "stats_org"}}
  GROUP BY org, day
),
event AS (
  SELECT org, day, kind, sum(events) AS events FROM {{table "events_daily"}} GROUP BY org, day, kind
),
stream AS (
  SELECT org, day, CASE stream WHEN 'alerts' THEN 'alert' ELSE 'violation' END AS kind, bool_and(status = 'complete' AND filter = '{}') AS whole
  FROM {{view "coverage_daily"}}
  WHERE stream IN ('alerts', 'violations')
  GROUP BY org, day, stream
  HAVING NOT bool_or(status = 'expired')
)
SELECT c.org, c.day, c.kind,
  coalesce(e.events, 0) AS from_events,
  CASE c.kind WHEN 'alert' THEN s.alerts ELSE s.violations END AS from_statistics,
  coalesce(e.events, 0) - CASE c.kind WHEN 'alert' THEN s.alerts ELSE s.violations END AS difference,
  c.whole AND coalesce(s.whole, false) AS comparable
FROM stream c
LEFT JOIN event e ON e.org = c.org AND e.day = c.day AND e.kind = c.kind
LEFT JOIN statistic s ON s.org = c.org AND s.day = c.day;
