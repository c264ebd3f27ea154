package config

// The three ways to say where the token is. Exactly one holds.
const (
	tokenEnvKey     = "api.token_env" //nolint:gosec // the name of a key
	tokenFileKey    = "api.token_file"
	tokenCommandKey = "api.token_command" //nolint:gosec // the name of a key
)

// defaultTokenEnv holds the token unless the file says otherwise.
const defaultTokenEnv = "FLASHBACK_TOKEN"

func apiKeys() []key {
	return []key{
		{
			path: "api.base_url", def: "https://backend.flashback.tech", check: checkBaseURL,
			doc:   "Where the API is; a path prefix is allowed, http only for this machine itself.",
			field: func(c *Config) any { return &c.API.BaseURL },
		},
		{
			path: tokenEnvKey, def: defaultTokenEnv, blank: true, check: checkVariable,
			doc:   "Name of the environment variable that holds the token; or use token_file or token_command.",
			field: func(c *Config) any { return &c.API.TokenEnv },
		},
		{
			path: tokenFileKey, blank: true, check: checkLine,
			doc:   "File that holds the token, read again whenever it is needed; instead of token_env.",
			field: func(c *Config) any { return &c.API.TokenFile },
		},
		{
			path: tokenCommandKey, blank: true, check: checkCommand,
			doc:   "Shell command that prints the token, run again after a 401; instead of token_env.",
			field: func(c *Config) any { return &c.API.TokenCommand },
		},
		{
			path: "api.max_concurrency", def: "8", min: 1, max: 64,
			doc:   "Upper bound of requests under way, 1 to 64; the program adapts below it.",
			field: func(c *Config) any { return &c.API.MaxConcurrency },
		},
		{
			path: "api.requests_per_second", def: "0",
			doc:   "Our own limit; 0 means none.",
			field: func(c *Config) any { return &c.API.RequestsPerSecond },
		},
		{
			path: "api.timeout", def: "30s", positive: true,
			doc:   "How long one request may take.",
			field: func(c *Config) any { return &c.API.Timeout },
		},
	}
}

func outputKeys() []key {
	return []key{
		{
			path: "publish.duckdb", def: "copy", values: []string{"copy", "off"},
			doc:   "copy: publish a DuckDB file for analysts after every run; off: do not.",
			field: func(c *Config) any { return &c.Publish.DuckDB },
		},
		{
			path: "publish.parquet.compression", def: "zstd", values: []string{"zstd", "snappy", "none"},
			doc:   "Compression of the lake's files: zstd, snappy or none.",
			field: func(c *Config) any { return &c.Publish.Parquet.Compression },
		},
		{
			path: "schedule.sync", def: "0 2 * * *", check: checkSchedule,
			doc:   "When to sync: five cron fields, or a descriptor such as \"@every 5m\" or \"@daily\".",
			field: func(c *Config) any { return &c.Schedule.Sync },
		},
		{
			path: "schedule.timezone", def: "UTC", check: checkTimezone,
			doc:   "Time zone the schedule is read in, such as UTC or Europe/Berlin.",
			field: func(c *Config) any { return &c.Schedule.Timezone },
		},
		{
			path: "serve.listen", def: "127.0.0.1:8417", check: checkListen,
			doc:   "host:port that `serve` listens on.",
			field: func(c *Config) any { return &c.Serve.Listen },
		},
		{
			path: "log.level", def: "info", values: []string{"trace", "debug", "info", "warn", "error"},
			doc:   "Least severe level that is logged: trace, debug, info, warn or error.",
			field: func(c *Config) any { return &c.Log.Level },
		},
		{
			path: "log.format", def: "auto", values: []string{"auto", "json", "console"},
			doc:   "auto (console on a terminal, json elsewhere), json or console.",
			field: func(c *Config) any { return &c.Log.Format },
		},
	}
}
