package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func TestTheErrorOfAChildIsKept(t *testing.T) {
	var out strings.Builder
	e := &ending{to: &out}
	for _, part := range []string{`{"level":"info"}` + "\nflashback-", "sync: it fai", "led\x1b[2J\n  do this\n", strings.Repeat("x", 1<<20)} {
		if n, err := e.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, want := e.reported(), (reported{"it failed\ufffd[2J", "do this"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := "{\"level\":\"info\"}\nflashback-sync: it failed\x1b[2J\n  do this\nx"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("not passed on as it is: %q", out.String()[:100])
	}
	failing := &ending{to: failingWriter{}}
	if _, err := failing.Write([]byte("flashback-sync: x\n")); err == nil || failing.reported().error != "x" {
		t.Errorf("got %v, %q", err, failing.reported())
	}
}

func TestWhatAChildSaysInPlainTextIsLoggedAsJSON(t *testing.T) {
	var out strings.Builder
	log := zerolog.New(&out).With().Str("run_id", "r").Logger()
	e := &ending{to: &out, log: &log}
	fmt.Fprint(e, "{\"level\":\"info\"}\nfatal error: runtime: out of memory\n\ngoroutine 1 [running]:\nflashback-sync: it failed\n  do this\n  and no more\n")
	lines := logged(t, out.String())
	if len(lines) != 4 || lines[1]["run_id"] != "r" || lines[1]["message"] != "fatal error: runtime: out of memory" || lines[3]["message"] != "and no more" {
		t.Errorf("%v", lines)
	}
	if got, want := e.reported(), (reported{"it failed", "do this"}); got != want {
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

// Under serve the log of a run can be found by its id, to its last line.
func TestEveryLogLineOfAScheduledRunHasItsID(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		level  string
		code   float64
	}{
		"good":        {0, "info", 0},
		"refused":     {401, "error", 4},
		"unreachable": {404, "error", 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if test.status != 0 {
				b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: test.status})
			}
			s := b.serveWith(`{sync: "@every 1h"}`)
			b.until("the run is noted", func() bool { return len(s.status().Runs) > 0 })
			noted := s.status().Runs[0]
			if err := s.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			said := strings.TrimSuffix(b.end(s.process).stderr, "flashback-sync: stopped by SIGTERM\n")
			var last map[string]any
			for _, line := range logged(t, said) {
				if line["message"] == "serving" {
					continue
				}
				if line["run_id"] != noted.RunID || line["job"] != "sync" {
					t.Errorf("not of the run: %v", line)
				}
				last = line
			}
			if last["message"] != "a run ended" || last["level"] != test.level || last["exit_code"] != test.code {
				t.Errorf("it ends with %v", last)
			}
			if failed := test.code != 0; failed && (last["error"] == nil || last["hint"] == nil) {
				t.Errorf("it does not say why: %v", last)
			}
		})
	}
}

func TestALogLineOfARunByHandHasItsID(t *testing.T) {
	b := newBench(t)
	r := b.must("sync")
	for _, line := range logged(t, r.stderr) {
		if line["run_id"] != b.journal()[0].RunID {
			t.Errorf("not of the run: %v", line)
		}
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }
