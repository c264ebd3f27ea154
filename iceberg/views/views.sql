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
{{range $i, $scope := list "org" "workspace" "repo"}}
CREATE OR REPLACE VIEW {{view (print "stats_" $scope)}} AS
SELECT org,{{if ne $scope "org"}} scope_id AS {{$scope}}_id,{{end}} bucket_start, {{day "bucket_start"}} AS day, bucket_size, violations, alerts, blocks,
  severity_low, severity_medium, severity_high, policy_tokens_in, policy_tokens_out, closed
FROM {{table "policy_stats"}}
WHERE scope = '{{$scope}}' AND rule_id IS NULL AND api_key_id IS NULL;
{{end}}
