-- Alerts and violations: one row for each.
-- Key: kind, id
-- Streams: alerts, violations
-- Values of kind: alert, violation
-- Values of severity: HIGH, MEDIUM, LOW, NONE
-- References: policy_id policies, repo_id repos, user_id users, api_key_id api_keys
--
-- kind              VARCHAR    alert or violation.
-- id                VARCHAR    Identifier of the alert or violation; the key, with kind.
-- at                TIMESTAMP  When it happened (UTC). DuckDB since 1.3 reserves the word: write "at" in quotes, or happened_at.
-- happened_at       TIMESTAMP  The same.
-- day               DATE       UTC day of happened_at.
-- week              DATE       Monday of the week of day.
-- month             DATE       First day of the month of day.
-- policy_id         VARCHAR    Policy that was triggered.
-- policy_name       VARCHAR    Latest name of the policy.
-- policy_name_then  VARCHAR    Name of the policy when the row was read.
-- conversation_id   VARCHAR    Conversation it belongs to; NULL if there is none.
-- repo_id           VARCHAR    Repository it occurred in.
-- repo_name         VARCHAR    Latest name of the repository.
-- user_id           VARCHAR    User who triggered it.
-- user_name         VARCHAR    Latest name of the user.
-- api_key_id        VARCHAR    API key that was used.
-- api_key_name      VARCHAR    Latest name of the API key.
-- provider          VARCHAR    Provider of the model.
-- model             VARCHAR    Name of the model.
-- host              VARCHAR    Host of the model's API endpoint.
-- severity          VARCHAR    HIGH, MEDIUM, LOW or NONE. Alerts have NONE.
-- severity_rank     INTEGER    3 for HIGH, 2 for MEDIUM, 1 for LOW, 0 for NONE.
-- blocked           BOOLEAN    Whether the gateway blocked the request. False for alerts.
-- text              VARCHAR    The alert's message or the violation's explanation; it may quote the conversation.
-- first_synced_at   TIMESTAMP  When flashback-sync first saw the row (UTC).
-- late              BOOLEAN    Whether it arrived after its day had been complete.
WITH event AS (
  SELECT 'alerts' AS stream, 'alert' AS kind, 'NONE' AS severity, false AS blocked, message AS text, * FROM main.alerts
  UNION ALL BY NAME
  SELECT 'violations' AS stream, 'violation' AS kind, coalesce(severity, 'NONE') AS severity, coalesce(block, false) AS blocked,
    explanation AS text, * EXCLUDE (severity) FROM main.violations
)
SELECT
  e.kind,
  e.id,
  make_timestamp(epoch_us(e.timestamp)) AS "at",
  make_timestamp(epoch_us(e.timestamp)) AS happened_at,
  e.date AS day,
  CAST(date_trunc('week', e.date) AS DATE) AS week,
  CAST(date_trunc('month', e.date) AS DATE) AS month,
  e.policy_id,
  coalesce(p.name, e.policy_name) AS policy_name,
  e.policy_name AS policy_name_then,
  e.conversation_id,
  e.repo_id,
  coalesce(r.name, e.repo_name) AS repo_name,
  e.user_id,
  coalesce(u.name, e.user_name) AS user_name,
  e.repo_ai_api_key_id AS api_key_id,
  coalesce(k.name, e.repo_ai_api_key_name) AS api_key_name,
  e.llm_type AS provider,
  e.llm_model AS model,
  e.host,
  e.severity,
  CASE e.severity WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 WHEN 'LOW' THEN 1 WHEN 'NONE' THEN 0 END AS severity_rank,
  e.blocked,
  e.text,
  make_timestamp(epoch_us(e._first_synced_at)) AS first_synced_at,
  coalesce(e._first_synced_at > d.complete_at, false) AS late
FROM event e
LEFT JOIN bi.policies p ON p.id = e.policy_id
LEFT JOIN bi.repos r ON r.id = e.repo_id
LEFT JOIN bi.users u ON u.id = e.user_id
LEFT JOIN bi.api_keys k ON k.id = e.repo_ai_api_key_id
LEFT JOIN main.sync_days d ON d.stream = e.stream AND d.day = e.date
