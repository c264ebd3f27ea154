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
)

// site is a data_dir, its configuration file, and the simulated organisation it
// is filled from.
type site struct {
	dir       string // data_dir
	settings  string
	simulator *simulator
	filled    syncRun // the sync that filled it
}

// lookback of every sync here. The rows of one day arrive in an increment, so
// each reads about as many rows again as it finds new ones.
const lookback = 48 * time.Hour

// site is an empty data_dir with a configuration.
func (l *lab) site(name string, from *simulator) (*site, error) {
	s := &site{dir: filepath.Join(l.dir, name), simulator: from}
	s.settings = s.dir + ".yaml"
	return s, os.WriteFile(s.settings, fmt.Appendf(nil, `api: {base_url: %q, max_concurrency: %d}
data_dir: %q
streams:
  alerts: {start: %[4]s, lookback: %[5]s}
  violations: {start: %[4]s, lookback: %[5]s}
`, from.begun.URL, l.Connections, s.dir, from.begun.Oldest.Format(time.RFC3339), lookback), 0o600)
}

// remove makes room.
func (s *site) remove() error { return os.RemoveAll(s.dir) }

// syncRun is what became of a run.
type syncRun struct {
	cost
	Status  string               `json:"status"`
	Streams map[string]streamRun `json:"streams"`
}

type streamRun struct {
	Requests  int64 `json:"requests"`
	Inserted  int64 `json:"rows_inserted"`
	Updated   int64 `json:"rows_updated"`
	Unchanged int64 `json:"rows_unchanged"`
}

// rows of all streams that were new. Neighbouring answers overlap, so more were
// received.
func (r syncRun) rows() (total int64) {
	for _, s := range r.Streams {
		total += s.Inserted
	}
	return total
}

func (r syncRun) requests() (total int64) {
	for _, s := range r.Streams {
		total += s.Requests
	}
	return total
}

// sync runs one sync and checks that it inserted what it should have.
func (l *lab) sync(ctx context.Context, s *site, expected map[string]int) (result syncRun, err error) {
	output, took, err := l.program(ctx, s, "sync", "--json")
	if err != nil {
		return result, err
	}
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &result); err != nil {
		return result, err
	}
	result.cost = took
	if result.Status != "ok" {
		return result, fmt.Errorf("the sync was %s", result.Status)
	}
	for stream, rows := range expected {
		if got := result.Streams[stream].Inserted; got != int64(rows) {
			return result, fmt.Errorf("%s: %d rows were inserted instead of %d", stream, got, rows)
		}
	}
	return result, nil
}

// program runs a command as a person or a schedule would.
func (l *lab) program(ctx context.Context, s *site, arguments ...string) ([]byte, cost, error) {
	process := exec.CommandContext(ctx, l.binary, append([]string{"--config", s.settings, "--log-level", "error"}, arguments...)...) //nolint:gosec // our own program
	process.Env = append(os.Environ(), "FLASHBACK_TOKEN="+token)
	process.Stderr = os.Stderr
	output, took, err := run(process)
	if err != nil {
		err = fmt.Errorf("%s: %w", arguments[0], err)
	}
	return output, took, err
}

// bestRun is the run that was disturbed least by what else the machine does, with
// the least of each cost.
func bestRun(runs []syncRun) syncRun {
	least := runs[0]
	for _, r := range runs {
		least.cost = least.cost.least(r.cost)
	}
	return least
}
