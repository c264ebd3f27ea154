package main

import (
	"bufio"
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

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
	t.Parallel()
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
	t.Parallel()
	b := newBench(t)
	r := b.must("sync")
	for _, line := range logged(t, r.stderr) {
		if line["run_id"] != b.journal()[0].RunID {
			t.Errorf("not of the run: %v", line)
		}
	}
}
