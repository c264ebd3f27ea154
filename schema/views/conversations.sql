-- Conversations that had an alert or a violation: one row for each.
-- Key: conversation_id
-- Streams: alerts, violations
-- Values of max_severity: HIGH, MEDIUM, LOW, NONE
-- References: user_id users, repo_id repos
--
-- conversation_id     VARCHAR    Identifier of the conversation.
-- user_id             VARCHAR    User of its first event.
-- user_name           VARCHAR    Latest name of that user.
-- repo_id             VARCHAR    Repository of its first event.
-- repo_name           VARCHAR    Latest name of that repository.
-- first_alert_at      TIMESTAMP  When its first alert happened (UTC); NULL if there is none.
-- first_violation_at  TIMESTAMP  When its first violation happened (UTC); NULL if there is none.
-- seconds_between     DOUBLE     Seconds from the first alert to the first violation; negative if the violation came first.
-- alerts              BIGINT     Number of alerts.
-- violations          BIGINT     Number of violations.
-- blocked             BIGINT     Violations that the gateway blocked.
-- max_severity        VARCHAR    Highest severity of its violations: HIGH, MEDIUM, LOW or NONE.
WITH event AS (
  SELECT conversation_id, epoch_us(timestamp) AS us, user_id, repo_id, 1 AS alerts, 0 AS violations, 0 AS blocked, 0 AS severity_rank
  FROM main.alerts WHERE conversation_id IS NOT NULL
  UNION ALL
  SELECT conversation_id, epoch_us(timestamp), user_id, repo_id, 0, 1, CAST(coalesce(block, false) AS INTEGER),
    CASE severity WHEN 'HIGH' THEN 3 WHEN 'MEDIUM' THEN 2 WHEN 'LOW' THEN 1 ELSE 0 END
  FROM main.violations WHERE conversation_id IS NOT NULL
),
conversation AS (
  SELECT
    conversation_id,
    arg_min(user_id, us) AS user_id,
    arg_min(repo_id, us) AS repo_id,
    make_timestamp(min(us) FILTER (WHERE alerts = 1)) AS first_alert_at,
    make_timestamp(min(us) FILTER (WHERE violations = 1)) AS first_violation_at,
    CAST(sum(alerts) AS BIGINT) AS alerts,
    CAST(sum(violations) AS BIGINT) AS violations,
    CAST(sum(blocked) AS BIGINT) AS blocked,
    max(severity_rank) AS max_rank
  FROM event
  GROUP BY conversation_id
)
SELECT
  c.conversation_id,
  c.user_id,
  u.name AS user_name,
  c.repo_id,
  r.name AS repo_name,
  c.first_alert_at,
  c.first_violation_at,
  CAST(date_diff('microsecond', c.first_alert_at, c.first_violation_at) / 1e6 AS DOUBLE) AS seconds_between,
  c.alerts,
  c.violations,
  c.blocked,
  CASE c.max_rank WHEN 3 THEN 'HIGH' WHEN 2 THEN 'MEDIUM' WHEN 1 THEN 'LOW' ELSE 'NONE' END AS max_severity
FROM conversation c
LEFT JOIN bi.users u ON u.id = c.user_id
LEFT JOIN bi.repos r ON r.id = c.repo_id
