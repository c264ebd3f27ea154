package schema

import (
	"slices"
	"sync"
)

// Version is the layout's version, stored in every warehouse. A release refuses
// a warehouse whose version is higher than its own.
const Version = 5

// Tables returns every table that analysts see, in the order they read best. They
// are shared, and not to be changed.
func Tables() []*Table { return slices.Clone(tables()) }

var tables = sync.OnceValue(func() []*Table {
	return []*Table{
		Alerts(), Violations(), PolicyStats(), PolicyStatsSummary(),
		SyncRuns(), SyncCoverage(), SyncLateness(), RejectedRecords(),
		SyncQueries(), SyncDays(), SyncPrivacy(), NamesDaily(), EventsDaily(),
	}
})

// ByName finds a table, or nil.
func ByName(name string) *Table {
	for _, t := range tables() {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Alerts is one row per policy alert (GET /policy/alerts).
func Alerts() *Table {
	columns := eventHead("alert", text("message", "message", Content, "What triggered the alert; it may quote the conversation."))
	return &Table{
		Name: "alerts", Key: []string{"id"}, Time: "timestamp", Partition: ByDay,
		Doc:     "Policy alerts: one row for each alert that the gateway raised.",
		Columns: append(columns, eventTail()...),
	}
}

// Violations is one row per policy violation (GET /policy/violations).
func Violations() *Table {
	columns := eventHead("violation", text("explanation", "explanation", Content, "Why the policy was violated; it may quote the conversation."))
	columns = append(
		columns,
		text("severity", "severity", Public, "Severity of the violation: LOW, MEDIUM or HIGH; NULL if the policy has none.").oneOf("LOW", "MEDIUM", "HIGH"),
		Column{Name: "block", API: "block", Type: Boolean, Privacy: Public, Doc: "Whether the gateway blocked the request."},
	)
	return &Table{
		Name: "violations", Key: []string{"id"}, Time: "timestamp", Partition: ByDay,
		Doc:     "Policy violations: one row for each violation that the gateway recorded.",
		Columns: append(columns, eventTail()...),
	}
}

// eventHead holds the columns that alerts and violations share; what differs
// between them, the sentence that explains the event, has its place after timestamp.
func eventHead(event string, sentence Column) []Column {
	timestamp := instant("timestamp", "When the "+event+" happened (UTC).").required()
	timestamp.API = "timestamp"
	return []Column{
		text("id", "id", Public, "Unique identifier of the "+event+".").required(),
		id("policy", "policy_id", "policyId", Internal, "Policy that was triggered."),
		nameOf("policy", "policy_id", "policy_name", "policyName", Internal, "Name of the policy when the record was read."),
		timestamp,
		sentence,
		id(Conversation, "conversation_id", "conversationId", Internal, "Conversation the "+event+" belongs to; NULL if there is none."),
		id(Repo, "repo_id", "repoId", Internal, "Repository the "+event+" occurred in."),
		nameOf(Repo, "repo_id", "repo_name", "repoName", Internal, "Name of the repository when the record was read."),
		id(User, "user_id", "userId", Personal, "User who triggered the "+event+"."),
		nameOf(User, "user_id", "user_name", "userName", Personal, "Full name of the user when the record was read."),
		id("key", "repo_ai_api_key_id", "repoAiApiKeyId", Internal, "API key that was used."),
		nameOf("key", "repo_ai_api_key_id", "repo_ai_api_key_name", "repoAiApiKeyName", Internal, "Name of the API key when the record was read."),
		text("llm_type", "llmType", Public, "Provider of the model: OPENAI, ANTHROPIC, GOOGLE, AWS, OTHER.").oneOf("OPENAI", "ANTHROPIC", "GOOGLE", "AWS", "OTHER"),
		text("llm_model", "llmModel", Public, "Name of the model."),
		text("host", "host", Internal, "Host of the model's API endpoint."),
	}
}

func eventTail() []Column {
	return []Column{
		extra(),
		instant("_first_synced_at", "When flashback-sync first saw the row (UTC).").required().from(Bookkeeping),
		lastChanged(), runID(),
	}
}

func extra() Column {
	return Column{
		Name: "extra", Type: JSON, Origin: Unknown, Privacy: Content,
		Doc: "Fields of the API's record that this release does not know, as one JSON object; NULL if there are none.",
	}
}

func lastChanged() Column {
	return instant("_last_changed_at", "When flashback-sync last saw the row change (UTC).").required().from(Bookkeeping)
}

func runID() Column {
	return text("_run_id", "", Public, "Run that wrote the row last; see sync_runs.").required().from(Bookkeeping)
}

// PolicyStats is one row per bucket of a statistics series (GET /v2/stats/policies).
func PolicyStats() *Table {
	return &Table{
		Name: "policy_stats", Time: "bucket_start", Partition: ByMonth,
		Key: []string{"scope", "scope_id", "rule_id", "api_key_id", "bucket_size", "bucket_start"},
		Doc: "Policy statistics: one row for each series and time bucket.",
		Columns: append(
			statsRequest(),
			text("bucket_size", "", Public, "Length of a bucket: 5m, 10m, 1h, 6h, 12h or 1d.").oneOf("5m", "10m", "1h", "6h", "12h", "1d").required().from(FromRequest),
			instant("bucket_start", "Start of the bucket (UTC); the bucket ends one bucket_size later.").required().from(FromRequest),
			count("violations", "violations", "Violations in the bucket."),
			count("alerts", "alerts", "Alerts in the bucket."),
			count("blocks", "blocks", "Blocked requests in the bucket."),
			count("severity_low", "severityLow", "Violations of low severity in the bucket."),
			count("severity_medium", "severityMedium", "Violations of medium severity in the bucket."),
			count("severity_high", "severityHigh", "Violations of high severity in the bucket."),
			count("policy_tokens_in", "policyTokensIn", "Tokens that the policies' own checks read, in the bucket."),
			count("policy_tokens_out", "policyTokensOut", "Tokens that the policies' own checks wrote, in the bucket."),
			Column{
				Name: "closed", Type: Boolean, NotNull: true, Origin: FromRequest, Privacy: Public,
				Doc: "True once the bucket was read whole and after its end; false while its figures may still grow.",
			},
			extra(), lastChanged(), runID(),
		),
	}
}

func statsRequest() []Column {
	return []Column{
		text("scope", "", Public, "Level the figures are for: org, workspace or repo.").oneOf("org", "workspace", "repo").required().from(FromRequest),
		id("scope", "scope_id", "", Internal, "Workspace or repository the figures are for; NULL for the organisation.").from(FromRequest),
		id("rule", "rule_id", "", Internal, "Policy rule the figures are limited to; NULL for all rules.").from(FromRequest),
		id("key", "api_key_id", "", Internal, "API key the figures are limited to; NULL for all keys.").from(FromRequest),
	}
}

// PolicyStatsSummary is one row per answer of the statistics endpoint.
func PolicyStatsSummary() *Table {
	return &Table{
		Name: "policy_stats_summary", Time: "fetched_at",
		Key: []string{"scope", "scope_id", "rule_id", "api_key_id", "window", "bucket_size", "fetched_at"},
		Doc: "The summary that came with each answer of the statistics endpoint: one row for each answer.",
		Columns: append(
			statsRequest(),
			text("window", "", Public, "Time window that was asked for: 24h, 7d, 30d, 90d, 180d or 365d.").oneOf("24h", "7d", "30d", "90d", "180d", "365d").required().from(FromRequest),
			text("bucket_size", "", Public, "Bucket size that was asked for.").required().from(FromRequest),
			instant("start", "Start of the answer's range (UTC).").from(FromRequest),
			instant("end", "End of the answer's range (UTC).").from(FromRequest),
			number("total", "total", "Total over the range."),
			number("avg", "avg", "Mean per bucket."),
			number("std_dev", "stdDev", "Standard deviation over the buckets."),
			number("min", "min", "Smallest bucket."),
			number("max", "max", "Largest bucket."),
			number("p10", "p10", "10th percentile over the buckets."),
			number("p50", "p50", "Median over the buckets."),
			number("p90", "p90", "90th percentile over the buckets."),
			instant("fetched_at", "When the answer was received (UTC).").required().from(FromRequest),
			runID(),
		),
	}
}
