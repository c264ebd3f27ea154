package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/pipeline"
)

// idle is a run that finds nothing new, by the real binary with a configuration
// file: with a lookback full of known rows, and with an empty one after days
// without rows.
func (l *lab) idle(ctx context.Context) error {
	binary := filepath.Join(l.dir, "flashback-sync")
	l.say("building the binary")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "duckdb_arrow", "-o", binary, "github.com/flashback-sync/flashback-sync/cmd/flashback-sync") //nolint:gosec // our own program
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the binary: %w", err)
	}
	for _, rows := range []int{l.Rows / 10, l.Rows} {
		s, err := l.history(ctx, rows)
		if err != nil {
			return err
		}
		if err := l.idleOn(ctx, s, binary); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) idleOn(ctx context.Context, s *site, binary string) error {
	l.say("%s: runs with nothing new", s.name)
	settings := s.dir + ".yaml"
	if err := os.WriteFile(settings, fmt.Appendf(nil, `api: {base_url: %q}
data_dir: %q
streams:
  alerts: {start: %[3]s, lookback: %[4]s}
  violations: {start: %[3]s, lookback: %[4]s}
`, s.simulator.status.URL, s.dir, s.start.Format(time.RFC3339), lookback), 0o600); err != nil {
		return err
	}
	for _, pass := range []time.Duration{0, 2 * lookback} {
		name := fmt.Sprintf("%s rows held, lookback with rows", humanize.Comma(int64(s.simulator.rows())))
		goal := noGoal
		if pass > 0 {
			name = fmt.Sprintf("%s rows held, empty lookback", humanize.Comma(int64(s.simulator.rows())))
			goal = atMost(300)
		}
		if err := s.simulator.tell(command{Pass: pass}); err != nil {
			return err
		}
		// The first run covers the time that passed, and does what is due once in a
		// while: a verification, the ledger published anew.
		if _, _, err := runBinary(ctx, binary, settings); err != nil {
			return err
		}
		if err := l.nothingNew(ctx, s, name, goal, binary, settings); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) nothingNew(ctx context.Context, s *site, name string, goal goal, binary, settings string) error {
	var costs []cost
	var summary pipeline.Summary
	requests, _, err := s.simulator.during(command{}, func() error {
		for range l.Repeats {
			last, took, err := runBinary(ctx, binary, settings)
			if err != nil {
				return err
			}
			summary, costs = last, append(costs, took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	allowed := 0.0
	for _, stream := range summary.Streams {
		allowed += float64(stream.Unchanged)/100 + 3
		if stream.Inserted+stream.Updated > 0 {
			return fmt.Errorf("a run without news wrote %d rows", stream.Inserted+stream.Updated)
		}
	}
	l.report.ratio("idle", name+": requests / (rows / 100 + 3 a stream)", float64(requests)/float64(l.Repeats), allowed, unitCount, atMost(1))
	l.report.value("idle", name+": wall, with process start", milliseconds(leastCost(costs).Wall), unitMillis, goal)
	return nil
}

// runBinary runs one sync as a person or a schedule would.
func runBinary(ctx context.Context, binary, settings string) (summary pipeline.Summary, took cost, err error) {
	process := exec.CommandContext(ctx, binary, "--config", settings, "--log-level", "error", "sync", "--json") //nolint:gosec // our own program
	process.Env = append(os.Environ(), "FLASHBACK_TOKEN="+token)
	process.Stderr = os.Stderr
	output, took, err := run(process)
	if err != nil {
		return summary, took, err
	}
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	return summary, took, json.Unmarshal(lines[len(lines)-1], &summary)
}
