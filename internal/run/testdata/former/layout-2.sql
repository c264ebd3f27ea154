SELECT policy_name, severity, count(*) AS n FROM violations GROUP BY ALL ORDER BY n DESC;

SELECT policy_name AS policy, count(*) FILTER (severity = 'HIGH') AS high, count(*) FILTER (severity = 'MEDIUM') AS medium,
  count(*) FILTER (severity = 'LOW') AS low, count(*) FILTER (block) AS blocked
FROM violations WHERE timestamp > (SELECT max(timestamp) FROM violations) - INTERVAL 30 DAY GROUP BY ALL ORDER BY high DESC;

WITH names AS (SELECT repo_id, max_by(repo_name, timestamp) AS repo FROM alerts GROUP BY repo_id)
SELECT repo, sum(policy_tokens_in)::BIGINT AS tokens_in FROM policy_stats JOIN names ON repo_id = scope_id WHERE scope = 'repo' GROUP BY repo;

SELECT user_name, count(*) AS n FROM alerts GROUP BY ALL ORDER BY n DESC LIMIT 5;

SELECT stream, "filter", status, from_ts, to_ts FROM sync_coverage ORDER BY ALL;

SELECT run_id, stream, complete, error, finished_at - started_at AS took FROM sync_runs ORDER BY started_at;

SELECT generation FROM publication;
