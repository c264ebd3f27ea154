WITH event AS (
  SELECT *, 'alerts' AS stream, 'alert' AS kind, 'NONE' AS severity, 0 AS blocked FROM main.alerts WHERE date IN (SELECT day FROM changed_days)
  UNION ALL BY NAME
  SELECT * REPLACE (coalesce(severity, 'NONE') AS severity), 'violations' AS stream, 'violation' AS kind, CAST(coalesce(block, false) AS INTEGER) AS blocked
  FROM main.violations WHERE date IN (SELECT day FROM changed_days)
),
counted AS (
  SELECT date AS day, stream, kind, policy_id, repo_id, repo_ai_api_key_id AS api_key_id, llm_type AS provider, llm_model AS model, severity,
    count(*) AS events, sum(blocked) AS blocked
  FROM event
  GROUP BY ALL
)
SELECT
  c.day,
  c.kind,
  c.policy_id,
  p.name AS policy_name,
  c.repo_id,
  r.name AS repo_name,
  c.api_key_id,
  k.name AS api_key_name,
  c.provider,
  c.model,
  c.severity,
  c.events,
  c.blocked,
  d.day IS NOT NULL AS complete
FROM counted c
LEFT JOIN bi.policies p ON p.id = c.policy_id
LEFT JOIN bi.repos r ON r.id = c.repo_id
LEFT JOIN bi.api_keys k ON k.id = c.api_key_id
LEFT JOIN main.sync_days d ON d.stream = c.stream AND d.day = c.day
