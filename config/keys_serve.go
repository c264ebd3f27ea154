package config

// scheduleKeys say when `serve` does what.
func scheduleKeys() []key {
	keys := []key{{
		path: "schedule.sync", def: "0 2 * * *", check: checkSchedule,
		doc:   "When to sync: five cron fields, or a descriptor such as \"@every 5m\" or \"@daily\".",
		field: func(c *Config) any { return &c.Schedule.Sync },
	}}
	for _, job := range []struct {
		name, doc string
		field     func(*Config) any
	}{
		{"alerts", "When to sync alerts, apart from the others; empty: with them.", func(c *Config) any { return &c.Schedule.Alerts }},
		{"violations", "When to sync violations, apart from the others; empty: with them.", func(c *Config) any { return &c.Schedule.Violations }},
		{"policy_stats", "When to sync policy statistics, apart from the others; empty: with them.", func(c *Config) any { return &c.Schedule.PolicyStats }},
		{"verify", "When to verify everything, day by day; empty: never (a sync compares totals once in verify_every).", func(c *Config) any { return &c.Schedule.Verify }},
	} {
		keys = append(keys, key{path: "schedule." + job.name, blank: true, check: checkSchedule, doc: job.doc, field: job.field})
	}
	return append(
		keys,
		key{
			path: "schedule.timezone", def: "UTC", check: checkTimezone,
			doc:   "Time zone the schedule is read in, such as UTC or Europe/Berlin.",
			field: func(c *Config) any { return &c.Schedule.Timezone },
		},
		key{
			path: "schedule.jitter", def: "0s",
			doc:   "Every run starts up to so much later, at random, so that many installations do not ask at once.",
			field: func(c *Config) any { return &c.Schedule.Jitter },
		},
	)
}

// Defaults of the variables that hold what must not stand in the file.
const (
	defaultPasswordEnv = "FLASHBACK_PAGE_PASSWORD"
	defaultPingEnv     = "FLASHBACK_PING_URL"
	defaultWebhookEnv  = "FLASHBACK_WEBHOOK_URL"
)

func serveKeys() []key {
	return []key{
		{
			path: "serve.listen", def: "127.0.0.1:8417", check: checkListen,
			doc:   "host:port that `serve` listens on; off this machine only with a password.",
			field: func(c *Config) any { return &c.Serve.Listen },
		},
		{
			path: "serve.user", def: "flashback", check: checkUser,
			doc:   "User name that the page asks for beside the password.",
			field: func(c *Config) any { return &c.Serve.User },
		},
		{
			path: "serve.password_env", def: defaultPasswordEnv, blank: true, check: checkVariable,
			doc:   "Name of the environment variable that holds the page's password; not set: no password, and loopback only.",
			field: func(c *Config) any { return &c.Serve.PasswordEnv },
		},
		{
			path: "serve.password_file", blank: true, check: checkLine,
			doc:   "File that holds the page's password, instead of password_env.",
			field: func(c *Config) any { return &c.Serve.PasswordFile },
		},
		{
			path: "serve.show_names", def: "false",
			doc:   "Whether the page and the report show the names of users.",
			field: func(c *Config) any { return &c.Serve.ShowNames },
		},
	}
}

func alarmKeys() []key {
	return []key{
		{
			path: "alarms.ping_url_env", def: defaultPingEnv, blank: true, check: checkVariable,
			doc:   "Name of the environment variable that holds a healthchecks-style URL: every job asks for it at its end, for /start at its start and for /fail if it failed.",
			field: func(c *Config) any { return &c.Alarms.PingURLEnv },
		},
		{
			path: "alarms.ping_url_file", blank: true, check: checkLine,
			doc:   "File that holds the ping URL, instead of ping_url_env.",
			field: func(c *Config) any { return &c.Alarms.PingURLFile },
		},
		{
			path: "alarms.webhook_url_env", def: defaultWebhookEnv, blank: true, check: checkVariable,
			doc:   "Name of the environment variable that holds a Slack-compatible webhook's URL: told of failure, recovery and staleness.",
			field: func(c *Config) any { return &c.Alarms.WebhookURLEnv },
		},
		{
			path: "alarms.webhook_url_file", blank: true, check: checkLine,
			doc:   "File that holds the webhook's URL, instead of webhook_url_env.",
			field: func(c *Config) any { return &c.Alarms.WebhookURLFile },
		},
		{
			path: "alarms.stale_after", def: "36h",
			doc:   "How far a stream may lag behind before it counts as stale; 0: for ever.",
			field: func(c *Config) any { return &c.Alarms.StaleAfter },
		},
		{
			path: "alarms.link", blank: true, check: checkLink,
			doc:   "Where people find the status page, for the webhook's messages.",
			field: func(c *Config) any { return &c.Alarms.Link },
		},
	}
}
