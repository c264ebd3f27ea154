package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGoodFiles(t *testing.T) {
	for _, path := range files(t, "testdata/good/*.yaml") {
		name := filepath.Base(path)
		want, ok := goodConfigs()[name]
		if !ok {
			t.Errorf("%s: nothing is expected of it", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			got, err := Load(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			want.Path = path
			if !filepath.IsAbs(want.DataDir) {
				want.DataDir = filepath.Join(filepath.Dir(path), want.DataDir)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// defaults is what a file that only names these streams means.
func defaults(streams ...string) *Config {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &Config{
		API: API{
			BaseURL: "https://backend.flashback.tech", TokenEnv: "FLASHBACK_TOKEN",
			MaxConcurrency: 8, Timeout: 30 * time.Second,
		},
		DataDir:     "data",
		VerifyEvery: 168 * time.Hour,
		Streams: Streams{
			Lists: map[string]*ListStream{
				"alerts":     {Start: start, Lookback: 48 * time.Hour},
				"violations": {Start: start, Lookback: 48 * time.Hour, Optional: true},
			},
			Series: map[string]*StatsStream{"policy_stats": {
				Start: start, Bucket: "1h",
				Scopes: []Scope{{Scope: "org"}, {Scope: "repo", IDs: []string{"auto"}}},
			}},
		},
		Privacy:  Privacy{Preset: "none", KeyEnv: "FLASHBACK_PRIVACY_KEY"},
		Publish:  Publish{DuckDB: "copy", Parquet: Parquet{Compression: "zstd"}},
		Schedule: Schedule{Sync: "0 2 * * *", Streams: map[string]*string{}, Verify: "0 4 * * 0", Timezone: "UTC"},
		Serve:    Serve{Listen: "127.0.0.1:8417", User: "flashback", PasswordEnv: "FLASHBACK_PAGE_PASSWORD"},
		Alarms: Alarms{
			PingURLEnv: "FLASHBACK_PING_URL", WebhookURLEnv: "FLASHBACK_WEBHOOK_URL", StaleAfter: 36 * time.Hour,
		},
		Retention: Retention{Runs: 400 * 24 * time.Hour, Streams: map[string]*time.Duration{}},
		Log:       Log{Level: "info", Format: "auto"},
	}
	c.keep(streams)
	return c
}

func goodConfigs() map[string]*Config {
	command := defaults("policy_stats")
	command.API.BaseURL = "http://127.0.0.1:9999"
	command.API.TokenEnv, command.API.TokenCommand = "", "umask 077\npass show flashback\n"
	command.Streams.Series["policy_stats"].Scopes = []Scope{{Scope: "org"}}

	anchor := defaults("violations")
	anchor.Streams.Lists["violations"].Lookback = 0

	return map[string]*Config{
		"minimal.yaml":       defaults("alerts"),
		"token-blank.yaml":   defaults("alerts"),
		"streams-empty.yaml": defaults("alerts", "violations", "policy_stats"),
		"command.yaml":       command,
		"anchor-unused.yaml": anchor,
		"full.yaml":          fullConfig(),
	}
}

func fullConfig() *Config {
	no := false
	return &Config{
		API: API{
			BaseURL: "https://gateway.example.com:8443/flashback/v1", TokenFile: "/run/secrets/flashback",
			MaxConcurrency: 64, RequestsPerSecond: 2.5, Timeout: 90 * time.Second,
		},
		DataDir:     "/var/lib/flashback",
		VerifyEvery: 36 * time.Hour,
		Streams: Streams{
			Lists: map[string]*ListStream{"alerts": {
				Start: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), Lookback: 7 * 24 * time.Hour, Optional: true,
				Filter: Filter{
					WorkspaceID: "ws-1", RepoID: "42", PolicyID: "2024-01-01",
					LLMType:  []string{"OPENAI", "ANTHROPIC"},
					LLMModel: []string{"gpt-4o"},
					Host:     []string{"api.openai.com"},
				},
			}, "violations": {
				Start: time.Date(2024, 3, 1, 0, 30, 0, 500e6, time.UTC), Lookback: 36 * time.Hour,
				Filter:   Filter{Severity: []string{"HIGH", "MEDIUM"}, Block: &no},
				Policies: []string{"p-1", "p-2"},
			}},
			Series: map[string]*StatsStream{"policy_stats": {
				Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Bucket: "1d",
				Scopes: []Scope{
					{Scope: "org"},
					{Scope: "workspace", IDs: []string{"ws-1", "ws-2"}},
					{Scope: "repo", IDs: []string{"r-1"}},
				},
				RuleIDs:   []string{"rule-1"},
				APIKeyIDs: []string{"key-1"},
			}},
		},
		Publish: Publish{DuckDB: "off", Parquet: Parquet{Compression: "none"}, After: []string{"flashback-iceberg push --lake /srv/lake", "printf '%s, done' a"}, Views: []View{
			{Name: "team-leads", Preset: "strict", Tables: []string{"bi.*"}},
			{Name: "support", Preset: "names", Tables: []string{"bi.users", "alerts"}},
		}},
		Schedule: Schedule{
			Sync: "@every 5m", Verify: "0 4 * * 0",
			Streams:  map[string]*string{"alerts": new("*/10 * * * *"), "violations": new("@hourly"), "policy_stats": new("30 1 * * *")},
			Timezone: "Europe/Berlin", Jitter: 90 * time.Second,
		},
		Serve: Serve{
			Listen: "[::1]:0", User: "ops", PasswordEnv: "PAGE_PASSWORD", PasswordFile: "/run/secrets/page", ShowNames: true,
		},
		Alarms: Alarms{
			PingURLEnv: "PING", PingURLFile: "/run/secrets/ping", WebhookURLEnv: "HOOK", WebhookURLFile: "/run/secrets/hook",
			StaleAfter: 3 * 24 * time.Hour, Link: "https://status.example.com/flashback",
		},
		Metrics: Metrics{Textfile: "/var/lib/node_exporter/flashback_sync.prom"},
		Traces:  Traces{Endpoint: "http://localhost:4318"},
		Privacy: Privacy{
			Preset: "strict", KeyCommand: "pass show privacy",
			Columns: map[string]string{"alerts.user_name": "pseudonym", "violations.explanation": "mask", "alerts.host": "keep"},
		},
		Retention: Retention{
			Runs: 30 * 24 * time.Hour, Rejects: 365 * 24 * time.Hour,
			Streams: map[string]*time.Duration{"alerts": new(400 * 24 * time.Hour), "policy_stats": new(24 * time.Hour)},
		},
		Log: Log{Level: "trace", Format: "json"},
	}
}

func TestBadFilesAreReportedWholly(t *testing.T) {
	for _, path := range files(t, "testdata/bad/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, err := Parse(read(t, path), filepath.Base(path), nil)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want problems", err)
			}
			want := string(read(t, strings.TrimSuffix(path, "yaml")+"want"))
			if diff := cmp.Diff(want, err.Error()+"\n"); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("a value is repeated in\n%v", err)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(folder, "none.yaml"): "no such file",
		folder:                             "is a directory",
		large:                              "larger than 1 MiB",
	} {
		_, err := Load(name, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if _, err := Load(filepath.Join(folder, "none.yaml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want one that is os.ErrNotExist", err)
	}
}

func TestManyProblemsAreCutShort(t *testing.T) {
	var text strings.Builder
	for i := range 60 {
		text.WriteString(strings.Repeat("x", i+1) + ": 1\n")
	}
	_, err := Parse([]byte(text.String()), "f", nil)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxShown+1 || lines[maxShown] != "and 11 more" { // 60 keys and no stream
		t.Errorf("got %d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVerificationIsScheduledUnlessSwitchedOff(t *testing.T) {
	for text, want := range map[string]string{
		"": "0 4 * * 0", "schedule: {sync: '@daily'}": "0 4 * * 0",
		`schedule: {verify: ""}`: "", "schedule: {verify: off}": "", "schedule: {verify: '@daily'}": "@daily",
	} {
		got, err := Parse([]byte("streams: {alerts: }\n"+text), "f", nil)
		if err != nil || got.Schedule.Verify != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	env := variables{"FLASHBACK_SYNC_SCHEDULE_VERIFY": "off"}
	if got, err := Parse([]byte("streams: {alerts: }"), "f", env.get); err != nil || got.Schedule.Verify != "" {
		t.Errorf("with a variable: got %+v, %v", got, err)
	}
	if _, err := Parse([]byte("streams: {alerts: }\nschedule: {sync: off}"), "f", nil); err == nil {
		t.Error("the sync can be switched off")
	}
}
