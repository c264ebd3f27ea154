package config

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const canary = "CANARY-0123456789"

func secretFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func none(string) (string, bool) { return "", false }

func TestTokenIsFoundEachWay(t *testing.T) {
	env := variables{"FLASHBACK_TOKEN": canary}
	for name, api := range map[string]API{
		"variable":                 {TokenEnv: "FLASHBACK_TOKEN"},
		"file":                     {TokenFile: secretFile(t, canary, 0o600)},
		"file, line break":         {TokenFile: secretFile(t, canary+"\n", 0o600)},
		"file, space and CR LF":    {TokenFile: secretFile(t, canary+" \r\n", 0o600)},
		"command":                  {TokenCommand: "echo " + canary},
		"command of several lines": {TokenCommand: "a=" + canary + "\nprintf %s $a; echo noise >&2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := api.TokenSource(env.get)(t.Context())
			if err != nil || got != canary {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestUnusableTokensAreRefusedWithoutBeingShown(t *testing.T) {
	for content, want := range map[string]string{
		"":                          "it is empty",
		" ":                         "it is empty",
		"\n":                        "it is empty",
		"Bearer " + canary:          "it has a space in it, leave out words such as Bearer",
		canary + "\n\n":             "it has several lines, it must be one",
		canary + "\r\nX-Injected:a": "it has several lines, it must be one",
		canary + "\x00":             "it has characters that cannot be sent in a header",
		canary + "\t":               "it has characters that cannot be sent in a header",
		canary + "é":                "it has characters that cannot be sent in a header",
		"\ufeff" + canary:           "it has characters that cannot be sent in a header",
		strings.Repeat("x", 100e3):  "it is longer than 64 KiB",
	} {
		env := variables{"FLASHBACK_TOKEN": content}
		file := secretFile(t, content, 0o600)
		for key, api := range map[string]API{
			"api.token_env":     {TokenEnv: "FLASHBACK_TOKEN"},
			"api.token_file":    {TokenFile: file},
			"api.token_command": {TokenCommand: "cat " + file},
		} {
			got, err := api.TokenSource(env.get)(t.Context())
			if got != "" || text(err) != "get the token ("+key+"): "+want {
				t.Errorf("%.40q: got %q, %v", content, got, err)
			}
		}
	}
}

func TestWhatCannotBeHadIsNotShown(t *testing.T) {
	for _, c := range []struct {
		api  API
		want string
	}{
		{API{TokenEnv: "FLASHBACK_TOKEN"}, "get the token (api.token_env): the environment variable FLASHBACK_TOKEN is not set"},
		{API{TokenEnv: "CANARY"}, "get the token (api.token_env): the environment variable it names is not set"},
		{API{TokenFile: canary}, "get the token (api.token_file): open the file: no such file or directory"},
		{API{TokenFile: os.TempDir()}, "get the token (api.token_file): read the file: is a directory"},
		{API{TokenCommand: canary}, "get the token (api.token_command): the command ended with exit status 127"},
		{API{TokenCommand: "echo " + canary + "; echo " + canary + " >&2; exit 3"}, "get the token (api.token_command): the command ended with exit status 3"},
		{API{TokenCommand: "kill -9 $$"}, "get the token (api.token_command): the command ended with signal: killed"},
		{API{TokenCommand: "yes " + canary}, "get the token (api.token_command): it is longer than 64 KiB"},
	} {
		if _, err := c.api.TokenSource(none)(t.Context()); text(err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestFileAndVariableAreReadAgain(t *testing.T) {
	file := secretFile(t, "first", 0o600)
	env := variables{"A": "first"}
	for _, api := range []API{{TokenFile: file}, {TokenEnv: "A"}} {
		source := api.TokenSource(env.get)
		before, _ := source(t.Context())
		if err := os.WriteFile(file, []byte("second"), 0o600); err != nil {
			t.Fatal(err)
		}
		env["A"] = "second"
		if after, err := source(t.Context()); before+after != "firstsecond" || err != nil {
			t.Errorf("got %s, %s, %v", before, after, err)
		}
		env["A"] = "first"
	}
}

func TestFailedCommandIsTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	source := API{TokenCommand: "cat " + path}.TokenSource(none)
	if _, err := source(t.Context()); err == nil {
		t.Fatal("there is no token yet")
	}
	if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := source(t.Context()); got != canary || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSlowCommandIsStopped(t *testing.T) {
	if _, err := runCommand(t.Context(), "echo "+canary+"; sleep 60", 50*time.Millisecond); text(err) != "the command ran longer than 50ms" {
		t.Errorf("got %v", err)
	}
}

func TestACancelledCallerStopsTheCommand(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	if err := exec.Command("mkfifo", started).Run(); err != nil {
		t.Skip("no named pipes here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := runCommand(ctx, "echo > "+started+"; exec sleep 60", commandTimeout); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	read(t, started) // comes back once the command runs
	cancel()
	group.Wait()
}

func TestReadableTokenFileIsAWarning(t *testing.T) {
	for mode, want := range map[os.FileMode]string{
		0o600: "",
		0o640: "api.token_file: others on this machine can read the file (mode 0640), run chmod 600 on it",
		0o604: "api.token_file: others on this machine can read the file (mode 0604), run chmod 600 on it",
	} {
		path := secretFile(t, canary, 0o600)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(API{TokenFile: path}.Warnings(), "\n"); got != want {
			t.Errorf("%04o: got %q", mode, got)
		}
	}
	if got := (API{TokenEnv: "A"}).Warnings(); got != nil {
		t.Errorf("got %q", got)
	}
	if got := (API{TokenFile: filepath.Join(t.TempDir(), "none")}).Warnings(); got != nil {
		t.Errorf("got %q", got)
	}
}
