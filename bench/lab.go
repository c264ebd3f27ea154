package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// lab holds what the measures share: the simulators, the histories, the report.
type lab struct {
	options
	dir        string
	log        io.Writer
	simulators map[serveSpec]*simulator
	others     []*simulator // in which time passes
	histories  map[int]*site
	sites      int
	report     *report
}

// site is a data_dir and the simulated organisation it is filled from.
type site struct {
	name        string
	dir         string // data_dir
	simulator   *simulator
	start       time.Time // of the history that is wanted
	connections int
	filled      syncRun // the sync that filled it
	runs        int
}

func newLab(o options, log io.Writer) (*lab, error) {
	dir, err := os.MkdirTemp("", "flashback-bench-")
	if err != nil {
		return nil, err
	}
	return &lab{
		options: o, dir: dir, log: log, report: newReport(o),
		simulators: map[serveSpec]*simulator{}, histories: map[int]*site{},
	}, nil
}

func (l *lab) close() error {
	var err error
	for _, s := range slices.AppendSeq(l.others, maps.Values(l.simulators)) {
		err = firstError(err, s.stop())
	}
	return firstError(err, os.RemoveAll(l.dir))
}

func (l *lab) say(format string, arguments ...any) {
	fmt.Fprintf(l.log, "%s bench: "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, arguments...)...)
}

// perDay is the same for every history: a shorter one has fewer days, not
// emptier ones, so that nothing differs but what lies before the recent days.
// By default it is 10,000 rows of each stream.
func (l *lab) perDay() int { return max(l.Rows/100, min(1_000, l.Rows/10), 1) }

// daysOf is how many days so many rows of a stream are.
func (l *lab) daysOf(rows int) int { return max(1, rows/l.perDay()) }

// simulate starts a simulator, or finds one that runs.
func (l *lab) simulate(ctx context.Context, days, perDay int) (*simulator, error) {
	spec := serveSpec{Days: days, PerDay: perDay, Gzip: l.Gzip}
	if s := l.simulators[spec]; s != nil {
		return s, nil
	}
	l.say("simulating %d days of %d rows in each stream", days, perDay)
	s, err := startSimulator(ctx, spec)
	if err == nil {
		l.simulators[spec] = s
	}
	return s, err
}

// site is an empty data_dir.
func (l *lab) site(name string, from *simulator) *site {
	l.sites++
	return &site{
		name: name, dir: filepath.Join(l.dir, fmt.Sprintf("%d-%s", l.sites, name)),
		simulator: from, start: from.begun.Oldest, connections: l.Connections,
	}
}

// remove makes room.
func (s *site) remove() error { return os.RemoveAll(s.dir) }

// history returns the site with so many rows in each stream, filling it first.
func (l *lab) history(ctx context.Context, rows int) (*site, error) {
	if s := l.histories[rows]; s != nil {
		return s, nil
	}
	simulator, err := l.simulate(ctx, l.daysOf(rows), l.perDay())
	if err != nil {
		return nil, err
	}
	s := l.site(fmt.Sprintf("history-%d", rows), simulator)
	l.histories[rows] = s
	s.filled, err = l.fill(ctx, s)
	return s, err
}

// fill runs the first sync of a site.
func (l *lab) fill(ctx context.Context, s *site) (syncRun, error) {
	l.say("%s: full sync of %d rows", s.name, s.simulator.rows())
	return l.sync(ctx, s, s.simulator.begun.Rows)
}

// sync runs one sync and checks that it inserted what it should have.
func (l *lab) sync(ctx context.Context, s *site, expected map[string]int) (syncRun, error) {
	s.runs++
	spec := syncSpec{
		URL: s.simulator.status.URL, Dir: s.dir, RunID: fmt.Sprintf("run-%d", s.runs),
		Start: s.start, Now: s.simulator.status.Now,
		Lookback: lookback, Connections: s.connections, MemoryLimit: l.MemoryLimit,
	}
	if l.Profiles != "" && s.runs == 1 {
		spec.CPUProfile = filepath.Join(l.Profiles, s.name+".cpu.pprof")
		spec.HeapProfile = filepath.Join(l.Profiles, s.name+".heap.pprof")
	}
	result, took, err := do[syncRun](ctx, "sync", spec)
	if err != nil {
		return result.Answer, err
	}
	run := result.Answer
	run.cost, run.PeakRSS = took, result.PeakRSS
	for stream, rows := range expected {
		if got := run.Streams[stream].Inserted; got != int64(rows) {
			return run, fmt.Errorf("%s: %d rows were inserted instead of %d", stream, got, rows)
		}
	}
	return run, nil
}

// copied has DuckDB write a site's lake anew, beside it.
func (l *lab) copied(ctx context.Context, s *site) (copied, cost, error) {
	dir := filepath.Join(l.dir, "copied")
	result, took, err := do[copied](ctx, "copy", copySpec{Database: filepath.Join(s.dir, snapshot.Name), Dir: dir})
	if rows := int64(s.simulator.rows()); err == nil && result.Answer.Rows != rows {
		err = fmt.Errorf("%d rows were copied instead of %d", result.Answer.Rows, rows)
	}
	return result.Answer, took, firstError(err, os.RemoveAll(dir))
}
