package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// lab holds what the measures share: the sites, and the report.
type lab struct {
	options
	dir    string
	log    io.Writer
	sites  map[int]*site
	report *report
}

// site is a simulated organisation and a warehouse filled from it.
type site struct {
	name      string
	dir       string // data_dir
	simulator *simulator
	begun     status  // of the simulator, before the first sync
	filled    syncRun // the sync that filled it
	runs      int
}

func newLab(o options, log io.Writer) (*lab, error) {
	dir, err := os.MkdirTemp("", "flashback-bench-")
	if err != nil {
		return nil, err
	}
	return &lab{options: o, dir: dir, log: log, sites: map[int]*site{}, report: newReport(o)}, nil
}

func (l *lab) close() error {
	var err error
	for _, s := range l.sites {
		err = firstError(err, s.simulator.stop())
	}
	return firstError(err, os.RemoveAll(l.dir))
}

func (l *lab) say(format string, arguments ...any) {
	fmt.Fprintf(l.log, "bench: "+format+"\n", arguments...)
}

// perDay is the same for every history: a shorter one has fewer days, not
// emptier ones, so that an increment differs in nothing but what lies before it.
func (l *lab) perDay() int { return l.Rows / 100 }

// at returns the site with so many rows in each stream, filling it first.
func (l *lab) at(ctx context.Context, rows int) (*site, error) {
	if s := l.sites[rows]; s != nil {
		return s, nil
	}
	name := fmt.Sprintf("history-%d", rows)
	l.say("simulating %d rows in each stream", rows)
	simulator, err := startSimulator(ctx, serveSpec{Days: rows / l.perDay(), PerDay: l.perDay(), Gzip: l.Gzip})
	if err != nil {
		return nil, err
	}
	s := &site{name: name, dir: filepath.Join(l.dir, name), simulator: simulator, begun: simulator.status}
	l.sites[rows] = s
	l.say("full sync")
	if s.filled, err = l.sync(ctx, s, s.begun.Rows); err != nil {
		return nil, err
	}
	return s, nil
}

// sync runs one sync and checks that it inserted what it should have.
func (l *lab) sync(ctx context.Context, s *site, expected map[string]int) (syncRun, error) {
	s.runs++
	spec := syncSpec{
		URL: s.simulator.status.URL, Dir: s.dir, RunID: fmt.Sprintf("run-%d", s.runs),
		Start: s.begun.Oldest, Now: s.simulator.status.Now,
		Lookback: lookback, Connections: l.Connections, MemoryLimit: l.MemoryLimit,
	}
	if l.Profiles != "" && s.runs == 1 {
		spec.CPUProfile = filepath.Join(l.Profiles, s.name+".cpu.pprof")
		spec.HeapProfile = filepath.Join(l.Profiles, s.name+".heap.pprof")
	}
	result, err := startSync(ctx, spec)
	if err != nil {
		return result, err
	}
	for stream, rows := range expected {
		if got := result.Streams[stream].Inserted; got != int64(rows) {
			return result, fmt.Errorf("%s: %d rows were inserted instead of %d", stream, got, rows)
		}
	}
	return result, nil
}
