// Package config reads the one configuration file, fills in the defaults,
// lays the environment over it and checks the result.
//
// Every key is one row of the table in keys.go: its name, the field it fills,
// its default and what it may hold. Decoding, the environment's names, the
// defaults and the JSON Schema are all derived from that row, so a key cannot
// be known to one of them and not to another.
//
// Whatever is wrong is reported at once, each problem with its line and column
// or the name of its variable. The file never holds a token: it says where to
// find one. No problem repeats a value that could be a secret.
package config

import "time"

// Config is a whole, checked configuration. Fields that the file and the
// environment leave out hold their defaults.
type Config struct {
	API API
	// DataDir is the folder everything is written under, relative to the
	// current directory, not to the file.
	DataDir string
	// VerifyEvery is how often a sync also compares totals; 0 means never.
	VerifyEvery time.Duration
	Streams     Streams
	Publish     Publish
	Schedule    Schedule
	Serve       Serve
	Alarms      Alarms
	Metrics     Metrics
	Traces      Traces
	Retention   Retention
	Log         Log
	// Path is the file the configuration came from, "" if there was none.
	Path string
}

// API says where the source is and how hard it may be asked.
type API struct {
	// BaseURL has a scheme, a host and perhaps a path prefix, and no slash at
	// its end. It is https, except for the machine itself.
	BaseURL string
	// Of these three exactly one is not empty. See [API.TokenSource].
	TokenEnv, TokenFile, TokenCommand string
	// MaxConcurrency is the upper bound of requests under way, 1 to 64.
	MaxConcurrency int
	// RequestsPerSecond is our own limit; 0 means none.
	RequestsPerSecond float64
	// Timeout bounds one request; it is above 0.
	Timeout time.Duration
}

// Streams holds what is synced; a stream that is nil is not. At least one is
// not nil.
type Streams struct {
	Alerts, Violations *ListStream
	PolicyStats        *StatsStream
}

// ListStream says how alerts or violations are synced.
type ListStream struct {
	// Start is where history begins, in UTC, in the years 2000 to 9999.
	Start time.Time
	// Lookback is how far before now every run reads again; 0 means not at all.
	Lookback time.Duration
	// Optional makes a 404 of the whole endpoint mean "not served here".
	Optional bool
	Filter   Filter
	// Policies, when not empty, are asked for one by one through the endpoint
	// by policy; Filter.PolicyID is then empty.
	Policies []string
}

// Filter narrows a list stream. Empty fields do not narrow; several values in
// a list mean any of them, and none of them has a comma.
type Filter struct {
	WorkspaceID, RepoID, PolicyID string
	LLMType, LLMModel, Host       []string
	// Severity holds LOW, MEDIUM or HIGH. It and Block are for violations only.
	Severity []string
	// Block is nil for both blocked and not.
	Block *bool
}

// StatsStream says which policy statistics are synced.
type StatsStream struct {
	// Start is where history is wanted from, in UTC. The API reaches back 365
	// days at most.
	Start time.Time
	// Bucket is one of 5m, 10m, 1h, 6h, 12h, 1d, as the API spells it.
	Bucket string
	// Scopes holds at least one scope, and each kind of scope at most once.
	Scopes []Scope
	// RuleIDs and APIKeyIDs narrow the statistics; empty means all.
	RuleIDs, APIKeyIDs []string
}

// Scope is one level that statistics are asked for.
type Scope struct {
	// Scope is org, workspace or repo.
	Scope string
	// IDs is empty for org. For repo it may be the single word "auto": the
	// repos seen in alerts and violations.
	IDs []string
}

// Publish says which files are made for readers.
type Publish struct {
	// DuckDB is copy or off.
	DuckDB  string
	Parquet Parquet
}

// Parquet says how the lake's files are written.
type Parquet struct {
	// Compression is zstd, snappy or none.
	Compression string
}

// Schedule says when `serve` does what. Every text is five cron fields or a
// descriptor such as "@every 5m", and names no time zone of its own.
type Schedule struct {
	// Sync is for every stream that has no schedule of its own.
	Sync string
	// Alerts, Violations and PolicyStats are "" if Sync is for them, too. A
	// stream that is not synced has none.
	Alerts, Violations, PolicyStats string
	// Verify is "" for never.
	Verify string
	// Timezone is an IANA name, in which all of them are read.
	Timezone string
	// Jitter is the longest random delay of a run.
	Jitter time.Duration
}

// Serve says where `serve` listens and what it shows to whom.
type Serve struct {
	// Listen is host:port.
	Listen string
	// User and the password are asked for if there is one. See [Serve.Password].
	User                      string
	PasswordEnv, PasswordFile string
	// ShowNames allows the names of users on the page and in the report.
	ShowNames bool
}

// Alarms say who is told how runs end. See [Alarms.PingURL] and
// [Alarms.WebhookURL].
type Alarms struct {
	PingURLEnv, PingURLFile       string
	WebhookURLEnv, WebhookURLFile string
	// StaleAfter is the lag above which a stream is stale; 0 means never.
	StaleAfter time.Duration
	// Link is the status page's address for people, or "".
	Link string
}

// Metrics say where metrics are written to.
type Metrics struct {
	// Textfile is a path for node_exporter, or "".
	Textfile string
}

// Traces has no effect. Its key stays valid, so that files of former releases load.
type Traces struct {
	// Endpoint was an OTLP/HTTP base URL.
	Endpoint string
}

// Retention says how long the program's own records are kept.
type Retention struct {
	// Runs is for sync_runs and sync_lateness; it is above 0.
	Runs time.Duration
	// Rejects is for rejected_records; 0 means for ever.
	Rejects time.Duration
}

// Log says what is logged, and how.
type Log struct {
	// Level is trace, debug, info, warn or error.
	Level string
	// Format is auto, json or console; auto is console on a terminal.
	Format string
}
