package config

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		name      string
		check     func(string) string
		good, bad []string
	}{
		{
			"base_url", checkBaseURL,
			[]string{
				"https://backend.flashback.tech", "https://backend.flashback.tech/", "https://h:8443/a/b%20c",
				"http://localhost:1", "http://LOCALHOST", "http://127.3.2.1", "http://[::1]:80", "http://[::ffff:127.0.0.1]",
			},
			[]string{
				"backend.flashback.tech", "//host", "https://", "https:host", "https:///path", "ftp://host", "file:///etc/passwd",
				"https://user@host", "https://user:password@host", "https://host?", "https://host?a=b", "https://host#", "https://host#a",
				"https://host:0", "https://host:65536", "https://host:x", "https://host/../x", "https://host/%2e%2e/x", "https://host/a\n",
				"http://host", "http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://0.0.0.0",
				"http://2130706433", " https://host", "https://host ",
			},
		},
		{
			"schedule", checkSchedule,
			[]string{"0 2 * * *", "*/5 * * * 1-5", "@every 5m", "@every 1s", "@daily", "0 0 29 2 *"},
			[]string{
				"TZ=UTC", "TZ=UTC 0 2 * * *", "CRON_TZ=Asia/Tokyo @daily", "CRON_TZ=", "@every", "@every 0s", "@every -5m", "@every 1ms",
				"@every x", "@reboot", "0 2 * *", "0 0 2 * * *", "60 * * * *", "*/0 * * * *", "0 0 30 2 *", "x", " ", "5-1 * * * *",
			},
		},
		{
			"timezone", checkTimezone,
			[]string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"},
			[]string{"Berlin", "CEST+1", "../UTC", "/etc/localtime", "UTC "},
		},
		{
			"listen", checkListen,
			[]string{"127.0.0.1:8417", ":80", "[::1]:0", "localhost:65535", "0.0.0.0:80"},
			[]string{"8417", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1", "localhost:080", "::1:80", "http://localhost:80", "a b:80", "a\n:80"},
		},
		{
			"variable", checkVariable,
			[]string{"FLASHBACK_TOKEN", "_a1"},
			[]string{"1A", "A-B", "a.b.c", "$A", "A=B", "A\n"},
		},
		{
			"line", checkLine,
			[]string{"a", "a b", "日本"},
			[]string{"a\nb", "a\x00", " a", "a ", "\xff", "\u0085"},
		},
		{
			"command", checkCommand,
			[]string{"a\nb\n", " a"},
			[]string{" \n", "a\x00", "\xff"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, text := range c.good {
				if got := c.check(text); got != "" {
					t.Errorf("%q: %s", text, got)
				}
			}
			for _, text := range c.bad {
				if c.check(text) == "" {
					t.Errorf("%q is accepted", text)
				}
			}
		})
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"48h": 48 * time.Hour, "7d": 168 * time.Hour, "1d12h30m": 36*time.Hour + 30*time.Minute,
		"0s": 0, "0d": 0, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "106751d": 106751 * 24 * time.Hour,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "0", "48", "-1h", "+1h", "1h-2m", "d", "1.5d", "12h1d", "1d1d", "2 days", "1w", "1e3s", "h", "7d ",
		"106752d", "106751d24h", "9999999999999999999d", "9999999999h",
	} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestEveryDurationIsReadAsItIsPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Min(0).Draw(t, "nanoseconds"))
		if got, ok := parseDuration(want.String()); !ok || got != want {
			t.Fatalf("%v: got %v, %v", want, got, ok)
		}
	})
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2024-01-01":                       time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		"2024-01-01T01:30:00+01:30":        time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		"2000-01-01":                       time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999Z":         time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		"1999-12-31T23:00:00-01:00":        time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		"2024-02-29T00:00:00.123456+00:00": time.Date(2024, 2, 29, 0, 0, 0, 123456e3, time.UTC),
	} {
		got, complaint := parseTime(text)
		if complaint != "" || got != want {
			t.Errorf("%s: got %v, %s", text, got, complaint)
		}
	}
	for _, text := range []string{
		"", "2024", "2024-1-1", "2024-01-01 00:00:00", "2024-01-01T00:00:00", "2024-01-01T00:00Z", "2024-01-01t00:00:00z",
		"2023-02-29", "2024-13-01", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "1999-12-31", "0000-00-00",
		"2000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "10000-01-01", "2024-01-01T00:00:00+25:00", "2024-01-01T00:00:00,5Z",
	} {
		if got, complaint := parseTime(text); complaint == "" {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
