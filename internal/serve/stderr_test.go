package serve

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestTheErrorOfAChildIsRemembered(t *testing.T) {
	var out strings.Builder
	e := &stderr{to: &out}
	for _, part := range []string{`{"level":"info"}` + "\nflashback-", "sync: it fai", "led\x1b[2J\n  do this\n", strings.Repeat("x", 1<<20)} {
		if n, err := e.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, want := e.failure(), (failure{"it failed\ufffd[2J", "do this"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := "{\"level\":\"info\"}\nflashback-sync: it failed\x1b[2J\n  do this\nx"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("not passed on as it is: %q", out.String()[:100])
	}
	failing := &stderr{to: failingWriter{}}
	if n, err := failing.Write([]byte("flashback-sync: x\n")); n == 0 || err != nil || failing.failure().error != "x" {
		t.Errorf("got %v, %q", err, failing.failure())
	}
}

func TestPlainTextOfAChildIsLoggedAsJSON(t *testing.T) {
	var out strings.Builder
	log := zerolog.New(&out).With().Str("run_id", "r").Logger()
	e := &stderr{to: &out, log: &log}
	fmt.Fprint(e, "{\"level\":\"info\"}\nfatal error: runtime: out of memory\n\ngoroutine 1 [running]:\nflashback-sync: it failed\n  do this\n  and no more\n")
	lines := logged(t, out.String())
	if len(lines) != 4 || lines[1]["run_id"] != "r" || lines[1]["message"] != "fatal error: runtime: out of memory" || lines[3]["message"] != "and no more" {
		t.Errorf("%v", lines)
	}
	if got, want := e.failure(), (failure{"it failed", "do this"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// logged are the lines of a log, each of them JSON.
func logged(t *testing.T, text string) (lines []map[string]any) {
	t.Helper()
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Errorf("no JSON: %s", scanner.Text())
		}
		lines = append(lines, line)
	}
	return lines
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }
