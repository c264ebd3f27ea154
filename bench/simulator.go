package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// token is what every client here sends; the simulator accepts any.
const token = "bench"

// streams in the order in which they are read.
var streams = []string{"alerts", "violations"}

// serveSpec describes the organisation that a simulator process serves.
type serveSpec struct {
	Days, PerDay int
}

// simulated is where the organisation's clock starts: a Wednesday, 00:00.
var simulated = time.Date(2026, 1, 7, 0, 0, 0, 0, time.UTC)

func (s serveSpec) simulator() *apisim.Sim {
	return apisim.New(apisim.Options{
		Seed: 1, Now: simulated, Days: s.Days, AlertsPerDay: s.PerDay, ViolationsPerDay: s.PerDay,
		NoLog: true, NoGzip: true,
	})
}

// command lets time pass, in which rows are added to the alerts, spread evenly.
type command struct {
	Pass time.Duration
	Rows int
}

// status is what the simulator writes at first, and after each command.
type status struct {
	URL         string
	Rows        map[string]int
	Oldest, Now time.Time
}

// serve is the simulator process. It ends when its standard input does, so that
// it cannot outlive the process that started it.
func serve(ctx context.Context, specJSON []byte, stdin io.Reader, stdout io.Writer) error {
	var spec serveSpec
	if err := json.Unmarshal(specJSON, &spec); err != nil {
		return err
	}
	sim := spec.simulator()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	defer func() { _ = server.Close() }()
	answers := json.NewEncoder(stdout)
	report := func() error {
		return answers.Encode(status{
			URL: "http://" + listener.Addr().String(), Now: sim.Now(), Oldest: simulated.AddDate(0, 0, -spec.Days),
			Rows: map[string]int{"alerts": sim.Len(apisim.Alerts), "violations": sim.Len(apisim.Violations)},
		})
	}
	if err := report(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		pass(sim, c)
		if err := report(); err != nil {
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
	spec          serveSpec
	begun, status status // at first, and last
	process       *exec.Cmd
	input         io.WriteCloser
	output        *json.Decoder
}

func startSimulator(ctx context.Context, spec serveSpec) (*simulator, error) {
	process, err := again(ctx, "serve", spec)
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
	s := &simulator{spec: spec, process: process, input: input, output: json.NewDecoder(output)}
	err = s.receive()
	s.begun = s.status
	return s, err
}

func (s *simulator) receive() error {
	s.status = status{}
	if err := s.output.Decode(&s.status); err != nil {
		return fmt.Errorf("read what the simulator reports: %w", err)
	}
	return nil
}

// send sends a command and waits until it is done.
func (s *simulator) send(c command) error {
	if err := json.NewEncoder(s.input).Encode(c); err != nil {
		return err
	}
	return s.receive()
}

// rows of all streams, at first.
func (s *simulator) rows() (total int) {
	for _, rows := range s.begun.Rows {
		total += rows
	}
	return total
}

func (s *simulator) stop() error {
	return errors.Join(s.input.Close(), s.process.Wait())
}
