-- Every name that policies, repositories, users, API keys and models had, with when and how often it was seen.
-- Key: dimension, id, name
-- Streams: alerts, violations
-- Values of dimension: policy, repo, user, api_key, model
--
-- dimension   VARCHAR    policy, repo, user, api_key or model.
-- id          VARCHAR    Identifier; of a model its name.
-- name        VARCHAR    Name; NULL where a row gave none.
-- latest      BOOLEAN    Whether it is the name that was seen last.
-- first_seen  TIMESTAMP  When an event first had this name (UTC).
-- last_seen   TIMESTAMP  When an event last had this name (UTC).
-- alerts      BIGINT     Alerts with this name.
-- violations  BIGINT     Violations with this name.
-- blocked     BIGINT     Blocked violations with this name.
SELECT
  dimension,
  id,
  name,
  row_number() OVER (PARTITION BY dimension, id ORDER BY name IS NULL, max(last_seen) DESC, name DESC) = 1 AS latest,
  make_timestamp(epoch_us(min(first_seen))) AS first_seen,
  make_timestamp(epoch_us(max(last_seen))) AS last_seen,
  CAST(sum(alerts) AS BIGINT) AS alerts,
  CAST(sum(violations) AS BIGINT) AS violations,
  CAST(sum(blocked) AS BIGINT) AS blocked
FROM main.names_daily
GROUP BY dimension, id, name
