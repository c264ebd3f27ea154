package config

import "slices"

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
	return slices.Concat(publishKeys(), scheduleKeys(), serveKeys(), alarmKeys(), []key{
		{
			path: "metrics.textfile", blank: true, check: checkLine,
			doc:   "File for node_exporter's textfile collector, written at the end of every run; empty: none.",
			field: func(c *Config) any { return &c.Metrics.Textfile },
		},
		{
			path: "traces.endpoint", blank: true, check: checkLine,
			doc:   "Has no effect: releases up to 0.1 sent traces there. Remove it.",
			field: func(c *Config) any { return &c.Traces.Endpoint },
		},
		{
			path: "retention.runs", def: "400d", positive: true,
			doc:   "How long the tables sync_runs and sync_lateness remember a run.",
			field: func(c *Config) any { return &c.Retention.Runs },
		},
		{
			path: "retention.rejects", def: "0s",
			doc:   "How long rejected_records keeps a record; 0: for ever, as proof asks.",
			field: func(c *Config) any { return &c.Retention.Rejects },
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
	})
}

func publishKeys() []key {
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
	}
}
