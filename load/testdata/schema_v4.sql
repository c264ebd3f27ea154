CREATE TABLE "alerts" (
    "id" VARCHAR NOT NULL,
    "policy_id" VARCHAR,
    "policy_name" VARCHAR,
    "timestamp" TIMESTAMPTZ NOT NULL,
    "message" VARCHAR,
    "conversation_id" VARCHAR,
    "repo_id" VARCHAR,
    "repo_name" VARCHAR,
    "user_id" VARCHAR,
    "user_name" VARCHAR,
    "repo_ai_api_key_id" VARCHAR,
    "repo_ai_api_key_name" VARCHAR,
    "llm_type" VARCHAR,
    "llm_model" VARCHAR,
    "host" VARCHAR,
    "extra" JSON,
    "_first_synced_at" TIMESTAMPTZ NOT NULL,
    "_last_changed_at" TIMESTAMPTZ NOT NULL,
    "_run_id" VARCHAR NOT NULL,
    "date" DATE
);
COMMENT ON TABLE "alerts" IS 'Policy alerts: one row for each alert that the gateway raised.';
COMMENT ON COLUMN "alerts"."id" IS 'Unique identifier of the alert.';
COMMENT ON COLUMN "alerts"."policy_id" IS 'Policy that was triggered.';
COMMENT ON COLUMN "alerts"."policy_name" IS 'Name of the policy when the record was read.';
COMMENT ON COLUMN "alerts"."timestamp" IS 'When the alert happened (UTC).';
COMMENT ON COLUMN "alerts"."message" IS 'What triggered the alert; it may quote the conversation.';
COMMENT ON COLUMN "alerts"."conversation_id" IS 'Conversation the alert belongs to; NULL if there is none.';
COMMENT ON COLUMN "alerts"."repo_id" IS 'Repository the alert occurred in.';
COMMENT ON COLUMN "alerts"."repo_name" IS 'Name of the repository when the record was read.';
COMMENT ON COLUMN "alerts"."user_id" IS 'User who triggered the alert.';
COMMENT ON COLUMN "alerts"."user_name" IS 'Full name of the user when the record was read.';
COMMENT ON COLUMN "alerts"."repo_ai_api_key_id" IS 'API key that was used.';
COMMENT ON COLUMN "alerts"."repo_ai_api_key_name" IS 'Name of the API key when the record was read.';
COMMENT ON COLUMN "alerts"."llm_type" IS 'Provider of the model: OPENAI, ANTHROPIC, GOOGLE, AWS, OTHER.';
COMMENT ON COLUMN "alerts"."llm_model" IS 'Name of the model.';
COMMENT ON COLUMN "alerts"."host" IS 'Host of the model''s API endpoint.';
COMMENT ON COLUMN "alerts"."extra" IS 'Fields of the API''s record that this release does not know, as one JSON object; NULL if there are none.';
COMMENT ON COLUMN "alerts"."_first_synced_at" IS 'When flashback-sync first saw the row (UTC).';
COMMENT ON COLUMN "alerts"."_last_changed_at" IS 'When flashback-sync last saw the row change (UTC).';
COMMENT ON COLUMN "alerts"."_run_id" IS 'Run that wrote the row last; see sync_runs.';
COMMENT ON COLUMN "alerts"."date" IS 'UTC day of timestamp; in the lake the folder has it.';
CREATE TABLE "violations" (
    "id" VARCHAR NOT NULL,
    "policy_id" VARCHAR,
    "policy_name" VARCHAR,
    "timestamp" TIMESTAMPTZ NOT NULL,
    "explanation" VARCHAR,
    "conversation_id" VARCHAR,
    "repo_id" VARCHAR,
    "repo_name" VARCHAR,
    "user_id" VARCHAR,
    "user_name" VARCHAR,
    "repo_ai_api_key_id" VARCHAR,
    "repo_ai_api_key_name" VARCHAR,
    "llm_type" VARCHAR,
    "llm_model" VARCHAR,
    "host" VARCHAR,
    "severity" VARCHAR,
    "block" BOOLEAN,
    "extra" JSON,
    "_first_synced_at" TIMESTAMPTZ NOT NULL,
    "_last_changed_at" TIMESTAMPTZ NOT NULL,
    "_run_id" VARCHAR NOT NULL,
    "date" DATE
);
COMMENT ON TABLE "violations" IS 'Policy violations: one row for each violation that the gateway recorded.';
COMMENT ON COLUMN "violations"."id" IS 'Unique identifier of the violation.';
COMMENT ON COLUMN "violations"."policy_id" IS 'Policy that was triggered.';
COMMENT ON COLUMN "violations"."policy_name" IS 'Name of the policy when the record was read.';
COMMENT ON COLUMN "violations"."timestamp" IS 'When the violation happened (UTC).';
COMMENT ON COLUMN "violations"."explanation" IS 'Why the policy was violated; it may quote the conversation.';
COMMENT ON COLUMN "violations"."conversation_id" IS 'Conversation the violation belongs to; NULL if there is none.';
COMMENT ON COLUMN "violations"."repo_id" IS 'Repository the violation occurred in.';
COMMENT ON COLUMN "violations"."repo_name" IS 'Name of the repository when the record was read.';
COMMENT ON COLUMN "violations"."user_id" IS 'User who triggered the violation.';
COMMENT ON COLUMN "violations"."user_name" IS 'Full name of the user when the record was read.';
COMMENT ON COLUMN "violations"."repo_ai_api_key_id" IS 'API key that was used.';
COMMENT ON COLUMN "violations"."repo_ai_api_key_name" IS 'Name of the API key when the record was read.';
COMMENT ON COLUMN "violations"."llm_type" IS 'Provider of the model: OPENAI, ANTHROPIC, GOOGLE, AWS, OTHER.';
COMMENT ON COLUMN "violations"."llm_model" IS 'Name of the model.';
COMMENT ON COLUMN "violations"."host" IS 'Host of the model''s API endpoint.';
COMMENT ON COLUMN "violations"."severity" IS 'Severity of the violation: LOW, MEDIUM or HIGH; NULL if the policy has none.';
COMMENT ON COLUMN "violations"."block" IS 'Whether the gateway blocked the request.';
COMMENT ON COLUMN "violations"."extra" IS 'Fields of the API''s record that this release does not know, as one JSON object; NULL if there are none.';
COMMENT ON COLUMN "violations"."_first_synced_at" IS 'When flashback-sync first saw the row (UTC).';
COMMENT ON COLUMN "violations"."_last_changed_at" IS 'When flashback-sync last saw the row change (UTC).';
COMMENT ON COLUMN "violations"."_run_id" IS 'Run that wrote the row last; see sync_runs.';
COMMENT ON COLUMN "violations"."date" IS 'UTC day of timestamp; in the lake the folder has it.';
CREATE TABLE "policy_stats" (
    "scope" VARCHAR NOT NULL,
    "scope_id" VARCHAR,
    "rule_id" VARCHAR,
    "api_key_id" VARCHAR,
    "bucket_size" VARCHAR NOT NULL,
    "bucket_start" TIMESTAMPTZ NOT NULL,
    "violations" BIGINT,
    "alerts" BIGINT,
    "blocks" BIGINT,
    "severity_low" BIGINT,
    "severity_medium" BIGINT,
    "severity_high" BIGINT,
    "policy_tokens_in" BIGINT,
    "policy_tokens_out" BIGINT,
    "closed" BOOLEAN NOT NULL,
    "extra" JSON,
    "_last_changed_at" TIMESTAMPTZ NOT NULL,
    "_run_id" VARCHAR NOT NULL,
    "month" VARCHAR
);
COMMENT ON TABLE "policy_stats" IS 'Policy statistics: one row for each series and time bucket.';
COMMENT ON COLUMN "policy_stats"."scope" IS 'Level the figures are for: org, workspace or repo.';
COMMENT ON COLUMN "policy_stats"."scope_id" IS 'Workspace or repository the figures are for; NULL for the organisation.';
COMMENT ON COLUMN "policy_stats"."rule_id" IS 'Policy rule the figures are limited to; NULL for all rules.';
COMMENT ON COLUMN "policy_stats"."api_key_id" IS 'API key the figures are limited to; NULL for all keys.';
COMMENT ON COLUMN "policy_stats"."bucket_size" IS 'Length of a bucket: 5m, 10m, 1h, 6h, 12h or 1d.';
COMMENT ON COLUMN "policy_stats"."bucket_start" IS 'Start of the bucket (UTC); the bucket ends one bucket_size later.';
COMMENT ON COLUMN "policy_stats"."violations" IS 'Violations in the bucket.';
COMMENT ON COLUMN "policy_stats"."alerts" IS 'Alerts in the bucket.';
COMMENT ON COLUMN "policy_stats"."blocks" IS 'Blocked requests in the bucket.';
COMMENT ON COLUMN "policy_stats"."severity_low" IS 'Violations of low severity in the bucket.';
COMMENT ON COLUMN "policy_stats"."severity_medium" IS 'Violations of medium severity in the bucket.';
COMMENT ON COLUMN "policy_stats"."severity_high" IS 'Violations of high severity in the bucket.';
COMMENT ON COLUMN "policy_stats"."policy_tokens_in" IS 'Tokens that the policies'' own checks read, in the bucket.';
COMMENT ON COLUMN "policy_stats"."policy_tokens_out" IS 'Tokens that the policies'' own checks wrote, in the bucket.';
COMMENT ON COLUMN "policy_stats"."closed" IS 'True once the bucket was read whole and after its end; false while its figures may still grow.';
COMMENT ON COLUMN "policy_stats"."extra" IS 'Fields of the API''s record that this release does not know, as one JSON object; NULL if there are none.';
COMMENT ON COLUMN "policy_stats"."_last_changed_at" IS 'When flashback-sync last saw the row change (UTC).';
COMMENT ON COLUMN "policy_stats"."_run_id" IS 'Run that wrote the row last; see sync_runs.';
COMMENT ON COLUMN "policy_stats"."month" IS 'UTC month of bucket_start, as 2024-01; in the lake the folder has it.';
CREATE TABLE "policy_stats_summary" (
    "scope" VARCHAR NOT NULL,
    "scope_id" VARCHAR,
    "rule_id" VARCHAR,
    "api_key_id" VARCHAR,
    "window" VARCHAR NOT NULL,
    "bucket_size" VARCHAR NOT NULL,
    "start" TIMESTAMPTZ,
    "end" TIMESTAMPTZ,
    "total" DOUBLE,
    "avg" DOUBLE,
    "std_dev" DOUBLE,
    "min" DOUBLE,
    "max" DOUBLE,
    "p10" DOUBLE,
    "p50" DOUBLE,
    "p90" DOUBLE,
    "fetched_at" TIMESTAMPTZ NOT NULL,
    "_run_id" VARCHAR NOT NULL
);
COMMENT ON TABLE "policy_stats_summary" IS 'The summary that came with each answer of the statistics endpoint: one row for each answer.';
COMMENT ON COLUMN "policy_stats_summary"."scope" IS 'Level the figures are for: org, workspace or repo.';
COMMENT ON COLUMN "policy_stats_summary"."scope_id" IS 'Workspace or repository the figures are for; NULL for the organisation.';
COMMENT ON COLUMN "policy_stats_summary"."rule_id" IS 'Policy rule the figures are limited to; NULL for all rules.';
COMMENT ON COLUMN "policy_stats_summary"."api_key_id" IS 'API key the figures are limited to; NULL for all keys.';
COMMENT ON COLUMN "policy_stats_summary"."window" IS 'Time window that was asked for: 24h, 7d, 30d, 90d, 180d or 365d.';
COMMENT ON COLUMN "policy_stats_summary"."bucket_size" IS 'Bucket size that was asked for.';
COMMENT ON COLUMN "policy_stats_summary"."start" IS 'Start of the answer''s range (UTC).';
COMMENT ON COLUMN "policy_stats_summary"."end" IS 'End of the answer''s range (UTC).';
COMMENT ON COLUMN "policy_stats_summary"."total" IS 'Total over the range.';
COMMENT ON COLUMN "policy_stats_summary"."avg" IS 'Mean per bucket.';
COMMENT ON COLUMN "policy_stats_summary"."std_dev" IS 'Standard deviation over the buckets.';
COMMENT ON COLUMN "policy_stats_summary"."min" IS 'Smallest bucket.';
COMMENT ON COLUMN "policy_stats_summary"."max" IS 'Largest bucket.';
COMMENT ON COLUMN "policy_stats_summary"."p10" IS '10th percentile over the buckets.';
COMMENT ON COLUMN "policy_stats_summary"."p50" IS 'Median over the buckets.';
COMMENT ON COLUMN "policy_stats_summary"."p90" IS '90th percentile over the buckets.';
COMMENT ON COLUMN "policy_stats_summary"."fetched_at" IS 'When the answer was received (UTC).';
COMMENT ON COLUMN "policy_stats_summary"."_run_id" IS 'Run that wrote the row last; see sync_runs.';
CREATE TABLE "sync_runs" (
    "run_id" VARCHAR NOT NULL,
    "stream" VARCHAR NOT NULL,
    "status" VARCHAR NOT NULL,
    "started_at" TIMESTAMPTZ NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "from_ts" TIMESTAMPTZ,
    "to_ts" TIMESTAMPTZ,
    "requests" BIGINT,
    "rows_received" BIGINT,
    "rows_inserted" BIGINT,
    "rows_updated" BIGINT,
    "rows_unchanged" BIGINT,
    "rows_duplicate" BIGINT,
    "rows_rejected" BIGINT,
    "complete" BOOLEAN,
    "error" VARCHAR,
    "version" VARCHAR,
    "rows_recovered" BIGINT,
    "verified" VARCHAR,
    "verified_missing" BIGINT
);
COMMENT ON TABLE "sync_runs" IS 'What each run of flashback-sync did: one row for each run and stream.';
COMMENT ON COLUMN "sync_runs"."run_id" IS 'Identifier of the run (UUIDv7: sorts by time).';
COMMENT ON COLUMN "sync_runs"."stream" IS 'Stream: alerts, violations or policy_stats.';
COMMENT ON COLUMN "sync_runs"."status" IS 'running, ok, partial, failed or interrupted.';
COMMENT ON COLUMN "sync_runs"."started_at" IS 'When the run started (UTC).';
COMMENT ON COLUMN "sync_runs"."finished_at" IS 'When the stream was done (UTC); NULL while it runs or if it was killed.';
COMMENT ON COLUMN "sync_runs"."from_ts" IS 'Lower watermark: start of the time range that the run read (UTC).';
COMMENT ON COLUMN "sync_runs"."to_ts" IS 'Upper watermark: end of the time range that the run read (UTC, exclusive).';
COMMENT ON COLUMN "sync_runs"."requests" IS 'Requests sent to the API, retries included.';
COMMENT ON COLUMN "sync_runs"."rows_received" IS 'Rows received, the same row counted each time it came.';
COMMENT ON COLUMN "sync_runs"."rows_inserted" IS 'Rows that were new.';
COMMENT ON COLUMN "sync_runs"."rows_updated" IS 'Rows that replaced an older version of themselves.';
COMMENT ON COLUMN "sync_runs"."rows_unchanged" IS 'Rows that were already stored, unchanged.';
COMMENT ON COLUMN "sync_runs"."rows_duplicate" IS 'Rows received more than once in the run.';
COMMENT ON COLUMN "sync_runs"."rows_rejected" IS 'Rows that could not be typed; see rejected_records.';
COMMENT ON COLUMN "sync_runs"."complete" IS 'Whether everything that was due has been read and proven complete.';
COMMENT ON COLUMN "sync_runs"."error" IS 'What went wrong; NULL if nothing did.';
COMMENT ON COLUMN "sync_runs"."version" IS 'Release of flashback-sync that ran.';
COMMENT ON COLUMN "sync_runs"."rows_recovered" IS 'Rejected records of earlier runs that could be typed in this one.';
COMMENT ON COLUMN "sync_runs"."verified" IS 'What the run''s verification of the totals found: match, missing, extra, differs or unproven; NULL if none was due.';
COMMENT ON COLUMN "sync_runs"."verified_missing" IS 'Rows that the verification found missing; NULL if none was due.';
CREATE TABLE "sync_coverage" (
    "stream" VARCHAR NOT NULL,
    "filter" VARCHAR NOT NULL,
    "status" VARCHAR NOT NULL,
    "from_ts" TIMESTAMPTZ NOT NULL,
    "to_ts" TIMESTAMPTZ NOT NULL,
    "run_id" VARCHAR NOT NULL
);
COMMENT ON TABLE "sync_coverage" IS 'The coverage ledger: for each stream and filter set, the time ranges that have been read completely.';
COMMENT ON COLUMN "sync_coverage"."stream" IS 'Stream: alerts, violations or policy_stats.';
COMMENT ON COLUMN "sync_coverage"."filter" IS 'The filter set, as one JSON object; {} is everything.';
COMMENT ON COLUMN "sync_coverage"."status" IS 'covered: everything in the range is stored. lost: the source can no longer give the range.';
COMMENT ON COLUMN "sync_coverage"."from_ts" IS 'Start of the range (UTC, inclusive).';
COMMENT ON COLUMN "sync_coverage"."to_ts" IS 'End of the range (UTC, exclusive).';
COMMENT ON COLUMN "sync_coverage"."run_id" IS 'Run that extended the range last.';
CREATE TABLE "sync_lateness" (
    "run_id" VARCHAR NOT NULL,
    "stream" VARCHAR NOT NULL,
    "observed_at" TIMESTAMPTZ NOT NULL,
    "up_to_s" BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    "max_s" BIGINT NOT NULL
);
COMMENT ON TABLE "sync_lateness" IS 'How late rows appeared inside time that had been read completely before: a histogram for each run and stream.';
COMMENT ON COLUMN "sync_lateness"."run_id" IS 'Run that found the rows.';
COMMENT ON COLUMN "sync_lateness"."stream" IS 'Stream: alerts or violations.';
COMMENT ON COLUMN "sync_lateness"."observed_at" IS 'When the run started (UTC).';
COMMENT ON COLUMN "sync_lateness"."up_to_s" IS 'Upper end of the class, in seconds: at least so long before the end of what had been read the rows are dated, and they were not there then.';
COMMENT ON COLUMN "sync_lateness"."rows" IS 'Rows in the class.';
COMMENT ON COLUMN "sync_lateness"."max_s" IS 'The latest of them, in seconds.';
CREATE TABLE "rejected_records" (
    "stream" VARCHAR NOT NULL,
    "run_id" VARCHAR NOT NULL,
    "reason" VARCHAR NOT NULL,
    "raw" VARCHAR NOT NULL,
    "rejected_at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "rejected_records" IS 'Quarantine: records that could not be typed, with their raw text.';
COMMENT ON COLUMN "rejected_records"."stream" IS 'Stream the record came from.';
COMMENT ON COLUMN "rejected_records"."run_id" IS 'Run that rejected the record first.';
COMMENT ON COLUMN "rejected_records"."reason" IS 'Why it was rejected.';
COMMENT ON COLUMN "rejected_records"."raw" IS 'The record''s raw text. Bytes that are not UTF-8 are written as \xNN.';
COMMENT ON COLUMN "rejected_records"."rejected_at" IS 'When it was rejected (UTC).';
CREATE TABLE "sync_queries" (
    "stream" VARCHAR NOT NULL,
    "filter" VARCHAR NOT NULL,
    "policy_id" VARCHAR,
    "scope" VARCHAR,
    "scope_id" VARCHAR,
    "rule_id" VARCHAR,
    "api_key_id" VARCHAR,
    "bucket_size" VARCHAR,
    "start_ts" TIMESTAMPTZ,
    "complete_to" TIMESTAMPTZ
);
COMMENT ON TABLE "sync_queries" IS 'The queries that the configuration asked for when data was last published: one row for each.';
COMMENT ON COLUMN "sync_queries"."stream" IS 'Stream: alerts, violations or policy_stats.';
COMMENT ON COLUMN "sync_queries"."filter" IS 'The query, as sync_coverage has it.';
COMMENT ON COLUMN "sync_queries"."policy_id" IS 'Events: the policy that they are limited to; NULL if they are not.';
COMMENT ON COLUMN "sync_queries"."scope" IS 'Statistics: org, workspace or repo.';
COMMENT ON COLUMN "sync_queries"."scope_id" IS 'Statistics: the workspace or repository; NULL for the organisation.';
COMMENT ON COLUMN "sync_queries"."rule_id" IS 'Statistics: the policy rule that they are limited to; NULL if they are not.';
COMMENT ON COLUMN "sync_queries"."api_key_id" IS 'Statistics: the API key that they are limited to; NULL if they are not.';
COMMENT ON COLUMN "sync_queries"."bucket_size" IS 'Statistics: the length of a bucket.';
COMMENT ON COLUMN "sync_queries"."start_ts" IS 'Start of what is asked for (UTC); NULL for statistics: only the source knows where they start.';
COMMENT ON COLUMN "sync_queries"."complete_to" IS 'Up to here the query is covered without a gap (UTC); NULL if it is not from its start.';
CREATE TABLE "sync_days" (
    "stream" VARCHAR NOT NULL,
    "day" DATE NOT NULL,
    "complete_at" TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE "sync_days" IS 'The days that are proven complete for every query of a stream.';
COMMENT ON COLUMN "sync_days"."stream" IS 'Stream: alerts, violations or policy_stats.';
COMMENT ON COLUMN "sync_days"."day" IS 'UTC day.';
COMMENT ON COLUMN "sync_days"."complete_at" IS 'When it became complete (UTC, by the clock of the machine that ran the sync).';
CREATE TABLE "names_daily" (
    "day" DATE NOT NULL,
    "dimension" VARCHAR NOT NULL,
    "id" VARCHAR NOT NULL,
    "name" VARCHAR,
    "first_seen" TIMESTAMPTZ NOT NULL,
    "last_seen" TIMESTAMPTZ NOT NULL,
    "alerts" BIGINT NOT NULL,
    "violations" BIGINT NOT NULL,
    "blocked" BIGINT NOT NULL
);
COMMENT ON TABLE "names_daily" IS 'Names of policies, repositories, users, API keys and models: one row for each day, id and name.';
COMMENT ON COLUMN "names_daily"."day" IS 'UTC day.';
COMMENT ON COLUMN "names_daily"."dimension" IS 'policy, repo, user, api_key or model.';
COMMENT ON COLUMN "names_daily"."id" IS 'Identifier; of a model its name.';
COMMENT ON COLUMN "names_daily"."name" IS 'Name that the events of the day had.';
COMMENT ON COLUMN "names_daily"."first_seen" IS 'When an event of the day first had it (UTC).';
COMMENT ON COLUMN "names_daily"."last_seen" IS 'When an event of the day last had it (UTC).';
COMMENT ON COLUMN "names_daily"."alerts" IS 'Alerts.';
COMMENT ON COLUMN "names_daily"."violations" IS 'Violations.';
COMMENT ON COLUMN "names_daily"."blocked" IS 'Violations that the gateway blocked.';
CREATE TABLE "events_daily" (
    "day" DATE NOT NULL,
    "kind" VARCHAR NOT NULL,
    "policy_id" VARCHAR,
    "policy_name" VARCHAR,
    "repo_id" VARCHAR,
    "repo_name" VARCHAR,
    "api_key_id" VARCHAR,
    "api_key_name" VARCHAR,
    "provider" VARCHAR,
    "model" VARCHAR,
    "severity" VARCHAR NOT NULL,
    "events" BIGINT NOT NULL,
    "blocked" BIGINT NOT NULL,
    "complete" BOOLEAN NOT NULL,
    "month" VARCHAR
);
COMMENT ON TABLE "events_daily" IS 'Alerts and violations counted: one row for each day and combination of the columns up to severity, without text and users.';
COMMENT ON COLUMN "events_daily"."day" IS 'UTC day.';
COMMENT ON COLUMN "events_daily"."kind" IS 'alert or violation.';
COMMENT ON COLUMN "events_daily"."policy_id" IS 'Policy that was triggered.';
COMMENT ON COLUMN "events_daily"."policy_name" IS 'Latest name of the policy.';
COMMENT ON COLUMN "events_daily"."repo_id" IS 'Repository.';
COMMENT ON COLUMN "events_daily"."repo_name" IS 'Latest name of the repository.';
COMMENT ON COLUMN "events_daily"."api_key_id" IS 'API key that was used.';
COMMENT ON COLUMN "events_daily"."api_key_name" IS 'Latest name of the API key.';
COMMENT ON COLUMN "events_daily"."provider" IS 'Provider of the model.';
COMMENT ON COLUMN "events_daily"."model" IS 'Name of the model.';
COMMENT ON COLUMN "events_daily"."severity" IS 'HIGH, MEDIUM, LOW or NONE. Alerts have NONE.';
COMMENT ON COLUMN "events_daily"."events" IS 'Number of events.';
COMMENT ON COLUMN "events_daily"."blocked" IS 'How many of them the gateway blocked.';
COMMENT ON COLUMN "events_daily"."complete" IS 'Whether the day is proven complete for this kind.';
COMMENT ON COLUMN "events_daily"."month" IS 'UTC month of day, as 2024-01; in the lake the folder has it.';
