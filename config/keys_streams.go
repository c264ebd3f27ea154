package config

// defaultStart is where history begins unless the file says otherwise.
const defaultStart = "2024-01-01T00:00:00Z"

// listKeys are the keys that alerts and violations share.
func listKeys(at, optional string, of func(*Config) *ListStream) []key {
	return append([]key{
		{
			path: at + "start", def: defaultStart,
			doc:   "History begins here: a date or an RFC 3339 time.",
			field: func(c *Config) any { return &of(c).Start },
		},
		{
			path: at + "lookback", def: "48h",
			doc:   "How far before now every run reads again, for rows that arrive late or change.",
			field: func(c *Config) any { return &of(c).Lookback },
		},
		{
			path: at + "optional", def: optional,
			doc:   "true: a 404 of the endpoint means 'not served here', which is recorded and no failure.",
			field: func(c *Config) any { return &of(c).Optional },
		},
		{
			path: at + "policies", check: checkLine,
			doc:   "Not empty: ask the endpoint by policy, once for each of these policy ids.",
			field: func(c *Config) any { return &of(c).Policies },
		},
	}, filterKeys(at+"filter.", of)...)
}

func filterKeys(at string, of func(*Config) *ListStream) []key {
	return []key{
		{
			path: at + "workspace_id", blank: true, check: checkLine,
			doc:   "Only this workspace.",
			field: func(c *Config) any { return &of(c).Filter.WorkspaceID },
		},
		{
			path: at + "repo_id", blank: true, check: checkLine,
			doc:   "Only this repo.",
			field: func(c *Config) any { return &of(c).Filter.RepoID },
		},
		{
			path: at + "policy_id", blank: true, check: checkLine,
			doc:   "Only this policy; not together with policies.",
			field: func(c *Config) any { return &of(c).Filter.PolicyID },
		},
		{
			path: at + "llm_type", check: checkLine,
			doc:   "Only these LLM types.",
			field: func(c *Config) any { return &of(c).Filter.LLMType },
		},
		{
			path: at + "llm_model", check: checkLine,
			doc:   "Only these LLM models.",
			field: func(c *Config) any { return &of(c).Filter.LLMModel },
		},
		{
			path: at + "host", check: checkLine,
			doc:   "Only these hosts.",
			field: func(c *Config) any { return &of(c).Filter.Host },
		},
	}
}

// verdictKeys filter by what only violations have.
func verdictKeys(at string, of func(*Config) *ListStream) []key {
	return []key{
		{
			path: at + "severity", values: []string{"LOW", "MEDIUM", "HIGH"},
			doc:   "Only these severities: LOW, MEDIUM, HIGH.",
			field: func(c *Config) any { return &of(c).Filter.Severity },
		},
		{
			path:  at + "block",
			doc:   "true: only what was blocked; false: only what was not; left out: both.",
			field: func(c *Config) any { return &of(c).Filter.Block },
		},
	}
}

func statsKeys(at string) []key {
	return []key{
		{
			path: at + "start", def: defaultStart,
			doc:   "History begins here, as far as the API's windows reach (365 days).",
			field: func(c *Config) any { return &c.Streams.PolicyStats.Start },
		},
		{
			path: at + "bucket", def: "1h", values: []string{"5m", "10m", "1h", "6h", "12h", "1d"},
			doc:   "Width of one statistics row: 5m, 10m, 1h, 6h, 12h or 1d.",
			field: func(c *Config) any { return &c.Streams.PolicyStats.Bucket },
		},
		{
			path: at + "scopes", def: "org,repo:auto",
			doc:   "Levels to ask for: org, workspace with ids, repo with ids or [auto] (the repos seen in alerts and violations).",
			field: func(c *Config) any { return &c.Streams.PolicyStats.Scopes },
		},
		{
			path: at + "rule_ids", check: checkLine,
			doc:   "Only these rules.",
			field: func(c *Config) any { return &c.Streams.PolicyStats.RuleIDs },
		},
		{
			path: at + "api_key_ids", check: checkLine,
			doc:   "Only these API keys (their ids, never the keys).",
			field: func(c *Config) any { return &c.Streams.PolicyStats.APIKeyIDs },
		},
	}
}
