package config

import (
	"slices"
	"strings"
)

// A key is one row of the table that everything else is derived from.
type key struct {
	// path is the key's place in the file: streams.alerts.lookback.
	path string
	// doc says in one line what the key does.
	doc string
	// def is the default, written as an environment variable would hold it.
	def string
	// field points at what the key fills. Its type decides what the key may
	// hold; all streams of the Config must be there.
	field func(*Config) any
	// values, when not empty, are the only texts allowed.
	values []string
	// min and max bound a number; a max of 0 does not.
	min, max float64
	// positive refuses a duration of 0.
	positive bool
	// check says what is wrong with a text that is not empty, "" if nothing.
	check func(string) string
	// blank allows an empty text.
	blank bool
}

// keys is the whole table, in the order of the file.
func keys() []key {
	alerts := func(c *Config) *ListStream { return c.Streams.Alerts }
	violations := func(c *Config) *ListStream { return c.Streams.Violations }
	return slices.Concat(
		apiKeys(),
		[]key{{
			path: "data_dir", def: "data", check: checkLine,
			doc:   "Folder everything is written under, relative to the current directory.",
			field: func(c *Config) any { return &c.DataDir },
		}},
		[]key{{
			path: "verify_every", def: "168h",
			doc:   "How often a sync also compares its totals with the source's, month by month; 0: never.",
			field: func(c *Config) any { return &c.VerifyEvery },
		}},
		listKeys("streams.alerts.", "false", alerts),
		listKeys("streams.violations.", "true", violations),
		verdictKeys("streams.violations.filter.", violations),
		statsKeys("streams.policy_stats."),
		outputKeys(),
	)
}

// blank is a Config whose every key has a field to fill.
func blank() *Config {
	return &Config{Streams: Streams{
		Alerts:      &ListStream{},
		Violations:  &ListStream{},
		PolicyStats: &StatsStream{},
	}}
}

// sectionDocs describes the paths that only hold other keys.
func sectionDocs() map[string]string {
	return map[string]string{
		"api":                       "The source: where it is, how to sign in, how hard to ask.",
		"streams":                   "What to sync. A stream that is left out is not synced; at least one is needed.",
		"streams.alerts":            "Alerts; left empty, they are synced with the defaults.",
		"streams.alerts.filter":     "Narrows the alerts. What is empty does not narrow.",
		"streams.violations":        "Violations; left empty, they are synced with the defaults.",
		"streams.violations.filter": "Narrows the violations. What is empty does not narrow.",
		"streams.policy_stats":      "Policy statistics; left empty, they are synced with the defaults.",
		"publish":                   "The files made for readers.",
		"publish.parquet":           "The Parquet lake.",
		"schedule":                  "When `serve` does what.",
		"serve":                     "Where `serve` listens, and what it shows to whom.",
		"alarms":                    "Who is told how runs end.",
		"metrics":                   "Metrics for machines; `serve` has them at /metrics, too.",
		"traces":                    "Has no effect any more.",
		"retention":                 "How long the program's own records are kept.",
		"log":                       "What is logged to stderr, and how.",
	}
}

// sectionsOf are the paths that only hold other keys.
func sectionsOf(table []key) map[string]bool {
	all := map[string]bool{}
	for _, k := range table {
		for path := parent(k.path); path != ""; path = parent(path) {
			all[path] = true
		}
	}
	return all
}

// parent is the path above a path, "" at the top.
func parent(path string) string {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return ""
	}
	return path[:dot]
}

// last is a path's last name.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// join is the opposite of parent.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
