package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsOfServeAndAlarms(t *testing.T) {
	folder := t.TempDir()
	held := filepath.Join(folder, "held")
	empty := filepath.Join(folder, "empty")
	for path, content := range map[string]string{held: "https://hooks.example.com/T0/CANARY\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environment := variables{"HELD": " https://hc.example.com/CANARY ", "BAD": "hc.example.com/CANARY"}.get
	for _, test := range []struct {
		name, want, problem string
		get                 func() (string, error)
	}{
		{"variable", "https://hc.example.com/CANARY", "", func() (string, error) { return Alarms{PingURLEnv: "HELD"}.PingURL(environment) }},
		{"variable that is not set", "", "", func() (string, error) { return Alarms{PingURLEnv: "NONE"}.PingURL(environment) }},
		{"file before variable", "https://hooks.example.com/T0/CANARY", "", func() (string, error) {
			return Alarms{WebhookURLEnv: "HELD", WebhookURLFile: held}.WebhookURL(environment)
		}},
		{"no URL", "", "alarms.ping_url: it is not an http(s) URL", func() (string, error) { return Alarms{PingURLEnv: "BAD"}.PingURL(environment) }},
		{"empty file", "", "serve.password_file: it is empty", func() (string, error) { return Serve{PasswordFile: empty}.Password(environment) }},
		{"no file", "", "serve.password_file: open the file: no such file or directory", func() (string, error) {
			return Serve{PasswordFile: filepath.Join(folder, "CANARY")}.Password(environment)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.get()
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if (err == nil) != (test.problem == "") || err != nil && err.Error() != test.problem {
				t.Errorf("got %v, want %s", err, test.problem)
			}
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("a secret is repeated in %v", err)
			}
		})
	}
}
