// Package config reads the one configuration file, overlays the environment and
// validates the result.
//
// The structs below are the only declaration of a key. Their tags give its name
// (yaml), its documentation (doc), its default as YAML (default), what it may hold
// (enum, min, max, check; empty:"ok" allows an empty text), the filter of the API that
// a stream must have for it (filter), a commented line for the template (example), and of
// a list of sections what one is, and how to write it (item).
// A time of whole days may be a word instead, which is 0 (days).
// A map has a key for each stream of that kind (streams). Decoding, the names of
// environment variables, the JSON Schema and the template are derived from them.
//
// Everything that is wrong is reported at once, each problem with its line and
// column or the name of its variable. The file never holds a token: it says where
// to find one. No problem repeats a value that could be a secret.
package config

import "time"

// Config is a complete, valid configuration.
type Config struct {
	API API `yaml:"api" doc:"The source. The token itself is never written here, only where to find it: one of token_env, token_file and token_command."`

	DataDir     string        `yaml:"data_dir" default:"data" check:"path" doc:"Folder everything is written under. A relative path in this file is relative to the folder of this file."`
	VerifyEvery time.Duration `yaml:"verify_every" default:"168h" doc:"How often a sync also compares its totals with the source's, month by month; 0: never."`

	Streams   Streams   `yaml:"streams" doc:"What to sync. A stream that is left out is not synced; one without keys has the defaults. At least one is needed."`
	Privacy   Privacy   `yaml:"privacy" doc:"What is stored of what identifies people. 'sync --apply-privacy' rewrites what is stored after a change."`
	Publish   Publish   `yaml:"publish" doc:"The files made for readers after every run."`
	Schedule  Schedule  `yaml:"schedule" doc:"When 'serve' does what: five cron fields, or \"@every 5m\", \"@daily\"."`
	Serve     Serve     `yaml:"serve" doc:"The status page. Off this machine (0.0.0.0:8417) it needs a password."`
	Alarms    Alarms    `yaml:"alarms" doc:"Who is notified how runs end. The URLs are secrets: they are in variables or files."`
	Metrics   Metrics   `yaml:"metrics" doc:"Metrics for machines; 'serve' has them at /metrics, too."`
	Traces    Traces    `yaml:"traces" doc:"Has no effect; kept so that older files load."`
	Retention Retention `yaml:"retention" doc:"How long rows and the program's own records are kept, in whole UTC days. What is older is removed for good."`
	Log       Log       `yaml:"log" doc:"What is logged to stderr, and how."`

	// Path is the file the configuration came from, "" if there was none.
	Path string
}

// API says where the source is and how many requests it may get. BaseURL has no
// slash at its end, and is https except for this machine. Exactly one of the
// three token fields is not empty; see [API.TokenSource].
type API struct {
	BaseURL           string        `yaml:"base_url" default:"https://backend.flashback.tech" check:"base_url" doc:"where the API is; a path prefix is allowed, http only for localhost"`
	TokenEnv          string        `yaml:"token_env" default:"FLASHBACK_TOKEN" check:"variable" empty:"ok" doc:"environment variable that holds the token"`
	TokenFile         string        `yaml:"token_file" example:"/run/secrets/flashback" check:"path" empty:"ok" doc:"or the file that holds the token (chmod 600), read whenever it is needed"`
	TokenCommand      string        `yaml:"token_command" example:"pass show flashback" check:"command" empty:"ok" doc:"or the shell command that prints the token; run again after a 401"`
	MaxConcurrency    int           `yaml:"max_concurrency" default:"8" min:"1" max:"64" doc:"upper bound of simultaneous requests, 1 to 64; adapts below it"`
	RequestsPerSecond float64       `yaml:"requests_per_second" default:"0" doc:"our own limit; 0: none"`
	Timeout           time.Duration `yaml:"timeout" default:"30s" min:"1" doc:"how long one request may take"`
}

// Streams are what is synced, by name: at least one.
type Streams struct {
	Lists  map[string]*ListStream  `streams:"list"`
	Series map[string]*StatsStream `streams:"series"`
}

// Synced reports whether a stream is synced.
func (s Streams) Synced(name string) bool { return s.Lists[name] != nil || s.Series[name] != nil }

// ListStream says how a stream of events is synced. Start is in UTC, in the
// years 2000 to 9999. If there are Policies, Filter.PolicyID is empty.
type ListStream struct {
	Start    time.Time     `yaml:"start" default:"2024-01-01T00:00:00Z" doc:"history begins here: a date or an RFC 3339 time"`
	Lookback time.Duration `yaml:"lookback" default:"48h" doc:"read again in every run, for what arrives late or changes"`
	Optional bool          `yaml:"optional" default:"false" doc:"true: a 404 of the endpoint is recorded and no failure"`
	Policies []string      `yaml:"policies" doc:"not empty: request policy by policy, for these ids"`
	Filter   Filter        `yaml:"filter" doc:"what is empty does not narrow"`
}

// Filter narrows a list stream. Several values in a list mean any of them. Block
// is nil for both blocked and not.
type Filter struct {
	WorkspaceID string   `yaml:"workspace_id" empty:"ok" doc:"only this workspace"`
	RepoID      string   `yaml:"repo_id" empty:"ok" doc:"only this repo"`
	PolicyID    string   `yaml:"policy_id" empty:"ok" doc:"only this policy; not together with policies"`
	LLMType     []string `yaml:"llm_type" doc:"only these LLM types"`
	LLMModel    []string `yaml:"llm_model" doc:"only these LLM models"`
	Host        []string `yaml:"host" doc:"only these hosts"`
	Severity    []string `yaml:"severity" enum:"LOW,MEDIUM,HIGH" filter:"severity" doc:"only these: LOW, MEDIUM, HIGH"`
	Block       *bool    `yaml:"block" example:"true" filter:"block" doc:"only what was blocked; false: only what was not"`
}

// StatsStream says which policy statistics are synced. There is at least one
// scope, and each kind of scope at most once.
type StatsStream struct {
	Start     time.Time `yaml:"start" default:"2024-01-01T00:00:00Z" doc:"as far back as the API's windows reach (365 days)"`
	Bucket    string    `yaml:"bucket" default:"1h" enum:"5m,10m,1h,6h,12h,1d" doc:"width of a row: 5m, 10m, 1h, 6h, 12h or 1d"`
	Scopes    []Scope   `yaml:"scopes" default:"[{scope: org}, {scope: repo, ids: [auto]}]" example:"[{scope: workspace, ids: [WORKSPACE_ID]}]" item:"scope {scope: org}" min:"1" doc:"levels: org, workspace with ids, repo with ids or [auto] (the repos seen in alerts and violations)"`
	RuleIDs   []string  `yaml:"rule_ids" doc:"only these rules"`
	APIKeyIDs []string  `yaml:"api_key_ids" doc:"only these API keys (their ids, never the keys)"`
}

// Scope is one level of statistics. The only ID of a repo scope may be "auto".
type Scope struct {
	Scope string   `yaml:"scope" enum:"org,workspace,repo" doc:"the level: org, workspace or repo"`
	IDs   []string `yaml:"ids" doc:"ids of workspaces or repos, or for repo [auto]; none for org"`
}

// Privacy says what is stored of each column's values: what Columns says, otherwise what
// Preset says. Exactly one of the three key fields is not empty; see [Privacy.Policy].
type Privacy struct {
	Preset     string            `yaml:"preset" default:"none" enum:"none,names,strict" doc:"none; names: users become pseudonyms; strict: users are hashed, texts are not stored"`
	Columns    map[string]string `yaml:"columns" example:"{alerts.user_name: hash, violations.explanation: mask}" doc:"single columns: keep, drop, hash, pseudonym or mask"`
	KeyEnv     string            `yaml:"key_env" default:"FLASHBACK_PRIVACY_KEY" check:"variable" empty:"ok" doc:"environment variable with the key of hashes and pseudonyms, 16 bytes or more"`
	KeyFile    string            `yaml:"key_file" example:"/run/secrets/privacy" check:"path" empty:"ok" doc:"or the file that holds the key"`
	KeyCommand string            `yaml:"key_command" example:"pass show flashback-privacy" check:"command" empty:"ok" doc:"or the shell command that prints the key"`
}

// Publish says which files are made for readers.
type Publish struct {
	DuckDB  string   `yaml:"duckdb" default:"copy" enum:"copy,off" doc:"copy: a DuckDB file for analysts; off: none"`
	Parquet Parquet  `yaml:"parquet" doc:"the Parquet lake"`
	After   []string `yaml:"after" check:"command" commas:"ok" example:"[flashback-iceberg push --lake data/lake]" doc:"shell commands that run after the files are published, such as one that feeds on the lake"`
	Views   []View   `yaml:"views" example:"[{name: team-leads, preset: strict, tables: [bi.*]}]" item:"view {name: team-leads, preset: strict, tables: [bi.*]}" doc:"further DuckDB files, data_dir/NAME.duckdb, for readers who may see less"`
}

// View is a DuckDB file for readers who may see less than the analysts.
type View struct {
	Name   string   `yaml:"name" check:"view_name" doc:"name of the file, without .duckdb"`
	Preset string   `yaml:"preset" default:"strict" enum:"none,names,strict" doc:"what it does not have: as privacy.preset"`
	Tables []string `yaml:"tables" default:"[\"bi.*\"]" check:"tables" doc:"what it has: tables, views, or bi.* for all views"`
}

// Parquet says how the lake's files are written.
type Parquet struct {
	Compression string `yaml:"compression" default:"zstd" enum:"zstd,snappy,none" doc:"zstd, snappy or none"`
}

// Schedule says when `serve` does what. A stream that is not synced has no
// schedule of its own; Verify is "" for never ("off" in the file).
type Schedule struct {
	Sync string `yaml:"sync" default:"\"0 2 * * *\"" check:"schedule" doc:"every stream without a schedule of its own"`

	// Streams are the schedules of their own that streams have, by name.
	Streams map[string]*string `streams:"all" check:"schedule" empty:"ok" doc:"a schedule of its own; empty: with sync"`

	Verify   string        `yaml:"verify" default:"\"0 4 * * 0\"" check:"schedule_or_off" empty:"ok" doc:"the whole proof, on Sundays after the sync; off: never"`
	Timezone string        `yaml:"timezone" default:"UTC" check:"timezone" doc:"or a name such as Europe/Berlin, with its clock changes"`
	Jitter   time.Duration `yaml:"jitter" default:"0s" doc:"start up to so much later, at random"`
}

// Stream returns the schedule of its own that a stream has; "" if it has none.
func (s Schedule) Stream(name string) string {
	if own := s.Streams[name]; own != nil {
		return *own
	}
	return ""
}

// Serve says where `serve` listens and what it shows. See [Serve.Password].
type Serve struct {
	Listen       string `yaml:"listen" default:"127.0.0.1:8417" check:"listen" doc:"host:port; off this machine only with a password"`
	User         string `yaml:"user" default:"flashback" check:"user" doc:"user name that goes with the password"`
	PasswordEnv  string `yaml:"password_env" default:"FLASHBACK_PAGE_PASSWORD" check:"variable" empty:"ok" doc:"environment variable that holds the password"`
	PasswordFile string `yaml:"password_file" example:"/run/secrets/page" check:"path" empty:"ok" doc:"or the file that holds the password"`
	ShowNames    bool   `yaml:"show_names" default:"false" doc:"true: page and report show the names of users"`
}

// Alarms say who is notified. See [Alarms.PingURL] and [Alarms.WebhookURL].
type Alarms struct {
	PingURLEnv     string        `yaml:"ping_url_env" default:"FLASHBACK_PING_URL" check:"variable" empty:"ok" doc:"variable with a healthchecks-style URL: URL, URL/start, URL/fail"`
	PingURLFile    string        `yaml:"ping_url_file" example:"/run/secrets/ping" check:"path" empty:"ok" doc:"or the file that holds it"`
	WebhookURLEnv  string        `yaml:"webhook_url_env" default:"FLASHBACK_WEBHOOK_URL" check:"variable" empty:"ok" doc:"variable with a Slack-compatible URL: failure, recovery, staleness"`
	WebhookURLFile string        `yaml:"webhook_url_file" example:"/run/secrets/webhook" check:"path" empty:"ok" doc:"or the file that holds it"`
	StaleAfter     time.Duration `yaml:"stale_after" default:"36h" doc:"a stream that lags more than this is stale; 0: never"`
	Link           string        `yaml:"link" check:"link" empty:"ok" doc:"where people find the status page"`
}

// Metrics say where metrics are written to.
type Metrics struct {
	Textfile string `yaml:"textfile" check:"path" empty:"ok" doc:"for node_exporter: /var/lib/node_exporter/flashback_sync.prom"`
}

// Traces has no effect. Its key stays valid, so that files of former releases load.
type Traces struct {
	Endpoint string `yaml:"endpoint" empty:"ok" doc:"has no effect: releases up to 0.1 sent traces there"`
}

// Retention says how long rows and the program's own records are kept.
type Retention struct {
	Runs    time.Duration `yaml:"runs" default:"400d" min:"1" doc:"sync_runs, sync_lateness"`
	Rejects time.Duration `yaml:"rejects" default:"0s" doc:"rejected_records; 0: indefinitely"`

	// Streams are how long the rows of streams are kept, by name, synced or not: a day or
	// more. Those of the others are kept indefinitely.
	Streams map[string]*time.Duration `streams:"all" default:"keep" days:"keep" doc:"its rows, by their own time: whole days such as 400d; keep: indefinitely"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level" default:"info" enum:"trace,debug,info,warn,error" doc:"trace, debug, info, warn or error"`
	Format string `yaml:"format" default:"auto" enum:"auto,json,console" doc:"auto (console on a terminal, json elsewhere), json or console"`
}
