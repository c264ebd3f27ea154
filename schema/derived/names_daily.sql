WITH event AS (
  SELECT *, 1 AS alerts, 0 AS violations, 0 AS blocked FROM main.alerts WHERE date IN (SELECT day FROM changed_days)
  UNION ALL BY NAME
  SELECT *, 0 AS alerts, 1 AS violations, CAST(coalesce(block, false) AS INTEGER) AS blocked FROM main.violations WHERE date IN (SELECT day FROM changed_days)
)
SELECT
  date AS day,
  CASE
    WHEN grouping(policy_id) = 0 THEN 'policy'
    WHEN grouping(repo_id) = 0 THEN 'repo'
    WHEN grouping(user_id) = 0 THEN 'user'
    WHEN grouping(repo_ai_api_key_id) = 0 THEN 'api_key'
    ELSE 'model'
  END AS dimension,
  coalesce(policy_id, repo_id, user_id, repo_ai_api_key_id, llm_model) AS id,
  coalesce(policy_name, repo_name, user_name, repo_ai_api_key_name, llm_model) AS name,
  min(timestamp) AS first_seen,
  max(timestamp) AS last_seen,
  sum(alerts) AS alerts,
  sum(violations) AS violations,
  sum(blocked) AS blocked
FROM event
GROUP BY GROUPING SETS (
  (date, policy_id, policy_name), (date, repo_id, repo_name), (date, user_id, user_name), (date, repo_ai_api_key_id, repo_ai_api_key_name), (date, llm_model)
)
HAVING coalesce(policy_id, repo_id, user_id, repo_ai_api_key_id, llm_model) IS NOT NULL
