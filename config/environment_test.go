package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const allStreams = "streams: {alerts: , violations: , policy_stats: }\n"

// variables is an environment of its own.
type variables map[string]string

func (v variables) get(name string) (string, bool) {
	text, ok := v[name]
	return text, ok
}

func (v variables) list() []string {
	var entries []string
	for name, text := range v {
		entries = append(entries, name+"="+text)
	}
	return entries
}

// sample is a text the key accepts and that is not its default.
func sample(k field) string {
	samples := map[string]string{
		"api.base_url":                "https://example.com",
		"api.token_env":               "OTHER",
		"api.max_concurrency":         "7",
		"schedule.sync":               "@daily",
		"schedule.alerts":             "@hourly",
		"schedule.violations":         "@hourly",
		"schedule.policy_stats":       "@hourly",
		"schedule.verify":             "@weekly",
		"schedule.timezone":           "Asia/Tokyo",
		"alarms.link":                 "https://example.com",
		"traces.endpoint":             "http://localhost:4318",
		"serve.listen":                ":80",
		"streams.violations.optional": "false",
	}
	if text, ok := samples[k.path]; ok {
		return text
	}
	if values := k.values(); values != nil {
		return values[len(values)-1]
	}
	if k.tag.Get("days") != "" {
		return "30d"
	}
	texts := map[string]string{
		"*string": "sample", "*[]string": "a, b", "*float64": "1.5", "*bool": "true", "**bool": "true",
		"*time.Duration": "5m", "*time.Time": "2025-06-01", "*[]config.Scope": "org, workspace:ws-1+ws-2",
		"*map[string]string": "alerts.user_name=hash", "*[]config.View": "leads:names:bi.users+alerts",
	}
	return texts["*"+k.value.Type().String()]
}

// value is what a configuration has for a key.
func value(k field, c *Config) any { return values(c)[k.path] }

// values are those of all keys.
func values(c *Config) map[string]any {
	all := map[string]any{}
	for _, f := range fileOf(c).all() {
		all[f.path] = f.value.Interface()
	}
	return all
}

func TestEveryKeyHasAVariable(t *testing.T) {
	before, seen := values(defaults(streamNames()...)), map[string]string{}
	for _, k := range keys() {
		name := variable(k.path)
		if other, ok := seen[name]; ok {
			t.Errorf("%s is the variable of %s and %s", name, other, k.path)
		}
		seen[name] = k.path
		t.Run(name, func(t *testing.T) {
			env := variables{name: sample(k)}
			got, err := Parse([]byte(allStreams), "f", env.get, env.list()...)
			if err != nil {
				t.Fatal(err)
			}
			now := values(got)
			for _, other := range keys() {
				same := cmp.Equal(before[other.path], now[other.path])
				replaced := other.path == "api.token_env" && strings.HasPrefix(k.path, "api.token_") || other.path == "privacy.key_env" && strings.HasPrefix(k.path, "privacy.key_")
				if want := other.path != k.path && !replaced; same != want {
					t.Errorf("%s is %#v", other.path, now[other.path])
				}
			}
		})
	}
}

func TestVariableReplacesTheFilesValue(t *testing.T) {
	env := variables{
		"FLASHBACK_SYNC_STREAMS_ALERTS_LOOKBACK":            " 7d ",
		"FLASHBACK_SYNC_STREAMS_POLICY_STATS_SCOPES":        "org,repo:auto,workspace:ws-1+ws-2",
		"FLASHBACK_SYNC_STREAMS_VIOLATIONS_FILTER_SEVERITY": "LOW,HIGH",
		"FLASHBACK_SYNC_LOG_LEVEL":                          "", // as good as not set
		"FLASHBACK_SYNC_CONFIG":                             "elsewhere.yaml",
	}
	file := `
streams: {alerts: {lookback: wrong}, violations: {filter: {severity: [MEDIUM]}}, policy_stats: {scopes: [{scope: org}]}}
log: {level: debug}
`
	got, err := Parse([]byte(file), "f", env.get, env.list()...)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults(streamNames()...)
	want.Path = "f"
	want.Streams.Lists["alerts"].Lookback = 7 * 24 * 3600e9
	want.Streams.Lists["violations"].Filter.Severity = []string{"LOW", "HIGH"}
	want.Streams.Series["policy_stats"].Scopes = append(want.Streams.Series["policy_stats"].Scopes, Scope{"workspace", []string{"ws-1", "ws-2"}})
	want.Log.Level = "debug"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWrongVariableIsReportedByName(t *testing.T) {
	for _, k := range keys() {
		env := variables{variable(k.path): "\x00CANARY"}
		_, err := Parse([]byte(allStreams), "f", env.get)
		var problems Problems
		if !errors.As(err, &problems) || problems[0].Source != variable(k.path) || !strings.HasPrefix(problems[0].Key, k.path) {
			t.Errorf("%s: got %v", k.path, err)
			continue
		}
		if strings.Contains(err.Error(), "CANARY") {
			t.Errorf("the value is repeated in %v", err)
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	for name, want := range map[string]string{
		"FLASHBACK_SYNC_API_BASEURL":        "FLASHBACK_SYNC_API_BASEURL: unknown variable; did you mean FLASHBACK_SYNC_API_BASE_URL?",
		"FLASHBACK_SYNC_TOKEN":              "FLASHBACK_SYNC_TOKEN: unknown variable; the token belongs in FLASHBACK_TOKEN, or where api.token_env says",
		"FLASHBACK_SYNC_COLOUR":             "FLASHBACK_SYNC_COLOUR: unknown variable, remove it; a key's variable is FLASHBACK_SYNC_ and its path, such as FLASHBACK_SYNC_API_BASE_URL",
		"FLASHBACK_SYNC_\x1b[31m":           "FLASHBACK_SYNC_...: unknown variable, remove it; a key's variable is FLASHBACK_SYNC_ and its path, such as FLASHBACK_SYNC_API_BASE_URL",
		"FLASHBACK_SYNC_STREAMS_ALERTS_BIN": "FLASHBACK_SYNC_STREAMS_ALERTS_BIN: unknown variable, remove it; a key's variable is FLASHBACK_SYNC_ and its path, such as FLASHBACK_SYNC_API_BASE_URL",
		"FLASHBACK_TOKEN":                   "",
		"FLASHBACK_SYNCED":                  "",
	} {
		env := variables{name: "CANARY"}
		_, err := Parse([]byte(allStreams), "f", env.get, env.list()...)
		if got := text(err); got != want {
			t.Errorf("%q: got %s\nwant %s", name, got, want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTheTokensOwnVariableIsNotUnknown(t *testing.T) {
	env := variables{"FLASHBACK_SYNC_SIGN_IN": "CANARY"}
	if _, err := Parse([]byte(allStreams+"api: {token_env: FLASHBACK_SYNC_SIGN_IN}"), "f", env.get, env.list()...); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentAlone(t *testing.T) {
	env := variables{
		"FLASHBACK_SYNC_STREAMS":                 "alerts, policy_stats",
		"FLASHBACK_SYNC_STREAMS_ALERTS_LOOKBACK": "1h",
		"FLASHBACK_SYNC_STREAMS_ALERTS_START":    "2025-01-01",
	}
	got, err := Load("", env.get, env.list()...)
	if err != nil {
		t.Fatal(err)
	}
	if got.Path != "" || got.Streams.Lists["alerts"] == nil || got.Streams.Lists["violations"] != nil || got.Streams.Series["policy_stats"] == nil {
		t.Errorf("got %+v", got)
	}
	if got.Streams.Lists["alerts"].Lookback.Hours() != 1 || got.Streams.Lists["alerts"].Start.Year() != 2025 {
		t.Errorf("got %+v", got.Streams.Lists["alerts"])
	}
}

func TestVariablesThatNameStreams(t *testing.T) {
	const names = "must name alerts, violations, policy_stats, separated by commas"
	for _, c := range []struct {
		name string
		file string
		env  variables
		want string
	}{
		{"none at all", "", nil, "streams: no stream is named, so nothing would be synced, set FLASHBACK_SYNC_STREAMS=alerts,violations,policy_stats"},
		{"a key makes no stream", "", variables{"FLASHBACK_SYNC_STREAMS_ALERTS_LOOKBACK": "1h"}, "streams: no stream is named, so nothing would be synced, set FLASHBACK_SYNC_STREAMS=alerts,violations,policy_stats"},
		{"a misspelt stream", "", variables{"FLASHBACK_SYNC_STREAMS": "alert"}, "FLASHBACK_SYNC_STREAMS: streams: " + names + "; did you mean alerts?"},
		{"an empty name", "", variables{"FLASHBACK_SYNC_STREAMS": "alerts,"}, "FLASHBACK_SYNC_STREAMS: streams: " + names},
		{"beside a file", allStreams, variables{"FLASHBACK_SYNC_STREAMS": "alerts"}, "FLASHBACK_SYNC_STREAMS: streams: names streams only where there is no file, write them in the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if c.file == "" {
				_, err = Load("", c.env.get, c.env.list()...)
			} else {
				_, err = Parse([]byte(c.file), "f", c.env.get, c.env.list()...)
			}
			if got := text(err); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestAKeyMakesNoStreamBesideAFile(t *testing.T) {
	env := variables{"FLASHBACK_SYNC_STREAMS_ALERTS_LOOKBACK": "1h"}
	got, err := Parse([]byte("streams: {violations: }"), "f", env.get, env.list()...)
	if err != nil || got.Streams.Lists["alerts"] != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTokenWayOfTheEnvironmentReplacesTheFiles(t *testing.T) {
	const file = allStreams + "api: {token_file: secret}\n"
	for _, c := range []struct {
		name string
		env  variables
		want API
	}{
		{"the file's", nil, API{TokenFile: "secret"}},
		{"an empty variable", variables{"FLASHBACK_SYNC_API_TOKEN_ENV": ""}, API{TokenFile: "secret"}},
		{"another way", variables{"FLASHBACK_SYNC_API_TOKEN_ENV": "OTHER"}, API{TokenEnv: "OTHER"}},
		{"a third way", variables{"FLASHBACK_SYNC_API_TOKEN_COMMAND": "true"}, API{TokenCommand: "true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(file), "f", c.env.get)
			if err != nil {
				t.Fatal(err)
			}
			ways := API{TokenEnv: got.API.TokenEnv, TokenFile: got.API.TokenFile, TokenCommand: got.API.TokenCommand}
			if ways != c.want {
				t.Errorf("got %+v", ways)
			}
		})
	}
	env := variables{"FLASHBACK_SYNC_API_TOKEN_ENV": "A", "FLASHBACK_SYNC_API_TOKEN_COMMAND": "b"}
	_, err := Parse([]byte(file), "f", env.get)
	const want = "FLASHBACK_SYNC_API_TOKEN_COMMAND: api.token_command: cannot be used with token_env, keep one of token_env, token_file and token_command"
	if text(err) != want {
		t.Errorf("got %v", err)
	}
}
