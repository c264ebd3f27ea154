-- Policy statistics of each repository: one row for each repository and bucket.
-- Key: repo_id, bucket_start
-- Streams: policy_stats
--
-- bucket_start       TIMESTAMP  Start of the bucket (UTC).
-- day                DATE       UTC day of the start.
-- repo_id            VARCHAR    Repository.
-- repo_name          VARCHAR    Latest name of the repository.
-- bucket_size        VARCHAR    Length of a bucket, as configured.
-- violations         BIGINT     Violations in the bucket.
-- alerts             BIGINT     Alerts in the bucket.
-- blocks             BIGINT     Blocked requests in the bucket.
-- severity_low       BIGINT     Violations of low severity.
-- severity_medium    BIGINT     Violations of medium severity.
-- severity_high      BIGINT     Violations of high severity.
-- policy_tokens_in   BIGINT     Tokens that the policies' own checks read.
-- policy_tokens_out  BIGINT     Tokens that the policies' own checks wrote.
-- closed             BOOLEAN    Whether the figures are final.
-- complete           BOOLEAN    Whether the day is proven complete for this series.
SELECT
  make_timestamp(epoch_us(s.bucket_start)) AS bucket_start,
  CAST(make_timestamp(epoch_us(s.bucket_start)) AS DATE) AS day,
  s.scope_id AS repo_id,
  r.name AS repo_name,
  s.bucket_size,
  s.violations,
  s.alerts,
  s.blocks,
  s.severity_low,
  s.severity_medium,
  s.severity_high,
  s.policy_tokens_in,
  s.policy_tokens_out,
  s.closed,
  coalesce(c.status = 'complete', false) AS complete
FROM main.policy_stats s
JOIN main.sync_queries q
  ON q.scope = s.scope AND q.scope_id IS NOT DISTINCT FROM s.scope_id AND q.bucket_size = s.bucket_size AND q.rule_id IS NULL AND q.api_key_id IS NULL
LEFT JOIN bi.coverage_daily c
  ON c.stream = q.stream AND c.filter = q.filter AND c.day = CAST(make_timestamp(epoch_us(s.bucket_start)) AS DATE)
LEFT JOIN bi.repos r ON r.id = s.scope_id
WHERE s.scope = 'repo' AND s.rule_id IS NULL AND s.api_key_id IS NULL
