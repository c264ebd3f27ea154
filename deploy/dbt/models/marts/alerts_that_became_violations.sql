-- Conversations whose first violation came within an hour after their first alert.
SELECT
  CAST(date_trunc('month', first_alert_at) AS DATE) AS month, repo_id, any_value(repo_name) AS repo_name,
  count(*) AS conversations_with_alerts,
  count(*) FILTER (seconds_between BETWEEN 0 AND 3600) AS became_violations,
  bool_and(d.complete) AS complete
FROM {{ source('flashback_bi', 'conversations') }} c
JOIN {{ source('flashback_bi', 'calendar') }} d ON d.day = CAST(c.first_alert_at AS DATE)
GROUP BY ALL
