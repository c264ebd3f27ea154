-- Alerts and violations counted: one row for each day and combination of the columns up to severity. Also in the lake.
--
-- day           DATE     UTC day.
-- kind          VARCHAR  alert or violation.
-- policy_id     VARCHAR  Policy that was triggered.
-- policy_name   VARCHAR  Latest name of the policy.
-- repo_id       VARCHAR  Repository.
-- repo_name     VARCHAR  Latest name of the repository.
-- api_key_id    VARCHAR  API key that was used.
-- api_key_name  VARCHAR  Latest name of the API key.
-- provider      VARCHAR  Provider of the model.
-- model         VARCHAR  Name of the model.
-- severity      VARCHAR  HIGH, MEDIUM, LOW or NONE. Alerts have NONE.
-- events        BIGINT   Number of events.
-- blocked       BIGINT   How many of them the gateway blocked.
-- complete      BOOLEAN  Whether the day is proven complete for this kind.
SELECT day, kind, policy_id, policy_name, repo_id, repo_name, api_key_id, api_key_name, provider, model, severity, events, blocked, complete
FROM main.events_daily
