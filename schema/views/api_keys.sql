-- API keys that events name: one row for each.
-- Key: id
-- Streams: alerts, violations
--
-- id             VARCHAR    Identifier of the API key.
-- name           VARCHAR    Latest name.
-- earlier_names  VARCHAR    Other names that it had, the last one first, separated by commas; NULL if there is none.
-- first_seen     TIMESTAMP  When it first occurred in an event (UTC).
-- last_seen      TIMESTAMP  When it last occurred in an event (UTC).
-- alerts         BIGINT     Alerts.
-- violations     BIGINT     Violations.
-- blocked        BIGINT     Violations that the gateway blocked.
SELECT
  id,
  max(name) FILTER (WHERE latest) AS name,
  string_agg(name, ', ' ORDER BY last_seen DESC, name DESC) FILTER (WHERE NOT latest) AS earlier_names,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  CAST(sum(alerts) AS BIGINT) AS alerts,
  CAST(sum(violations) AS BIGINT) AS violations,
  CAST(sum(blocked) AS BIGINT) AS blocked
FROM bi.names
WHERE dimension = 'api_key'
GROUP BY id
