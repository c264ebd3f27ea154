package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// serveSpec describes the organisation that a simulator process serves.
type serveSpec struct {
	Days, PerDay int
	Gzip         bool
	Latency      time.Duration
}

// command asks the simulator to let time pass, in which rows are added to the
// alerts, spread evenly.
type command struct {
	Pass time.Duration
	Rows int
}

// status is what the simulator answers to a command, and says first of all.
type status struct {
	URL         string
	Rows        map[string]int
	Oldest, Now time.Time
	CPU         time.Duration // used so far
}

// serve is the simulator process. It ends when its standard input does, so that
// it cannot outlive who started it.
func serve(specJSON string, stdin io.Reader, stdout io.Writer) error {
	var spec serveSpec
	if err := json.Unmarshal([]byte(specJSON), &spec); err != nil {
		return err
	}
	now := time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)
	sim := apisim.New(apisim.Options{
		Seed: 1, Now: now, Days: spec.Days, AlertsPerDay: spec.PerDay, ViolationsPerDay: spec.PerDay,
		NoLog: true, NoGzip: !spec.Gzip, Semantics: apisim.Semantics{Latency: spec.Latency},
	})
	url, stop := sim.Start()
	defer stop()
	answers := json.NewEncoder(stdout)
	say := func() error {
		return answers.Encode(status{
			URL: url, Now: sim.Now(), Oldest: now.AddDate(0, 0, -spec.Days), CPU: ownUsage().cpu,
			Rows: map[string]int{"alerts": sim.Len(apisim.Alerts), "violations": sim.Len(apisim.Violations)},
		})
	}
	if err := say(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		pass(sim, c)
		if err := say(); err != nil {
			return err
		}
	}
	return lines.Err()
}

func pass(sim *apisim.Sim, c command) {
	from, before := sim.Now(), sim.Len(apisim.Alerts)
	rows := make([]apisim.Row, c.Rows)
	for i := range rows {
		at := from.Add(c.Pass * time.Duration(i+1) / time.Duration(c.Rows+1))
		rows[i] = sim.NewRow(apisim.Alerts, at.Truncate(time.Millisecond), before+i)
	}
	sim.SetNow(from.Add(c.Pass))
	sim.AddAlerts(rows...)
}

// simulator is the process, seen from outside.
type simulator struct {
	status  status
	process *exec.Cmd
	input   io.WriteCloser
	output  *json.Decoder
}

func startSimulator(ctx context.Context, spec serveSpec) (*simulator, error) {
	process, err := again(ctx, "-serve", spec)
	if err != nil {
		return nil, err
	}
	input, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	s := &simulator{process: process, input: input, output: json.NewDecoder(output)}
	return s, s.hear()
}

func (s *simulator) hear() error {
	s.status = status{}
	if err := s.output.Decode(&s.status); err != nil {
		return fmt.Errorf("hear the simulator: %w", err)
	}
	return nil
}

// tell sends a command and waits until it is done.
func (s *simulator) tell(c command) error {
	if err := json.NewEncoder(s.input).Encode(c); err != nil {
		return err
	}
	return s.hear()
}

func (s *simulator) stop() error {
	return errors.Join(s.input.Close(), s.process.Wait())
}

// again prepares to start this program once more, in another role.
func again(ctx context.Context, role string, spec any) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, role, string(encoded)) //nolint:gosec // this very program
	process.Stderr = os.Stderr
	return process, nil
}
