package schema

// EventsDaily counts events. It is derived: see Table.Derived.
func EventsDaily() *Table {
	return &Table{
		Name: "events_daily", Time: "day", Partition: ByMonth, Derived: read("derived/events_daily.sql"),
		Key: []string{"day", "kind", "policy_id", "repo_id", "api_key_id", "provider", "model", "severity"},
		Doc: "Alerts and violations counted: one row for each day and combination of the columns up to severity, without text and users.",
		Columns: bookkept(
			day("day", "UTC day.").required(),
			text("kind", "", Public, "alert or violation.").oneOf("alert", "violation").required(),
			text("policy_id", "", Internal, "Policy that was triggered."),
			text("policy_name", "", Internal, "Latest name of the policy."),
			text("repo_id", "", Internal, "Repository."),
			text("repo_name", "", Internal, "Latest name of the repository."),
			text("api_key_id", "", Internal, "API key that was used."),
			text("api_key_name", "", Internal, "Latest name of the API key."),
			text("provider", "", Public, "Provider of the model."),
			text("model", "", Public, "Name of the model."),
			text("severity", "", Public, "HIGH, MEDIUM, LOW or NONE. Alerts have NONE.").oneOf("HIGH", "MEDIUM", "LOW", "NONE").required(),
			count("events", "", "Number of events.").required(),
			count("blocked", "", "How many of them the gateway blocked.").required(),
			Column{Name: "complete", Type: Boolean, NotNull: true, Privacy: Public, Doc: "Whether the day is proven complete for this kind."},
		),
	}
}

// NamesDaily has the names that occurred on a day. It is derived: see Table.Derived.
func NamesDaily() *Table {
	return &Table{
		Name: "names_daily", Time: "day", Derived: read("derived/names_daily.sql"),
		Key: []string{"day", "dimension", "id", "name"},
		Doc: "Names of policies, repositories, users, API keys and models: one row for each day, id and name.",
		Columns: bookkept(
			day("day", "UTC day.").required(),
			text("dimension", "", Public, "policy, repo, user, api_key or model.").oneOf("policy", "repo", "user", "api_key", "model").required(),
			text("id", "", Personal, "Identifier; of a model its name.").required(),
			text("name", "", Personal, "Name that the events of the day had."),
			instant("first_seen", "When an event of the day first had it (UTC).").required(),
			instant("last_seen", "When an event of the day last had it (UTC).").required(),
			count("alerts", "", "Alerts.").required(),
			count("violations", "", "Violations.").required(),
			count("blocked", "", "Violations that the gateway blocked.").required(),
		),
	}
}

// SyncQueries is what the configuration asks for.
func SyncQueries() *Table {
	return &Table{
		Name: "sync_queries", Time: "start_ts", Key: []string{"stream", "filter"},
		Doc: "The queries that the configuration asked for when data was last published: one row for each.",
		Columns: bookkept(
			text("stream", "", Public, "Stream: alerts, violations or policy_stats.").required(),
			text("filter", "", Internal, "The query, as sync_coverage has it.").required(),
			text("policy_id", "", Internal, "Events: the policy that they are limited to; NULL if they are not."),
			text("scope", "", Public, "Statistics: org, workspace or repo."),
			text("scope_id", "", Internal, "Statistics: the workspace or repository; NULL for the organisation."),
			text("rule_id", "", Internal, "Statistics: the policy rule that they are limited to; NULL if they are not."),
			text("api_key_id", "", Internal, "Statistics: the API key that they are limited to; NULL if they are not."),
			text("bucket_size", "", Public, "Statistics: the length of a bucket."),
			instant("start_ts", "Start of what is asked for (UTC); NULL for statistics: only the source knows where they start."),
			instant("complete_to", "Up to here the query is covered without a gap (UTC); NULL if it is not from its start."),
		),
	}
}

// SyncDays lists the days that are proven complete.
func SyncDays() *Table {
	return &Table{
		Name: "sync_days", Time: "day", Key: []string{"stream", "day"},
		Doc: "The days that are proven complete for every query of a stream.",
		Columns: bookkept(
			text("stream", "", Public, "Stream: alerts, violations or policy_stats.").required(),
			day("day", "UTC day.").required(),
			instant("complete_at", "When it became complete (UTC, by the clock of the machine that ran the sync).").required(),
		),
	}
}

// OutdatedDays is the query for the days of EventsDaily whose names or completeness changed.
func OutdatedDays() string { return read("derived/outdated_days.sql") }

func day(name, doc string) Column {
	return Column{Name: name, Type: Date, Privacy: Public, Doc: doc}
}
