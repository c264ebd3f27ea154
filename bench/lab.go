package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// lab is what the measures share: the binary, the histories, the report.
type lab struct {
	options
	dir       string
	binary    string
	log       io.Writer
	histories map[int]*site
	report    *report
}

// newLab builds the binary into a temporary folder.
func newLab(ctx context.Context, o options, log io.Writer) (*lab, error) {
	dir, err := os.MkdirTemp("", "flashback-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{
		options: o, dir: dir, log: log, report: newReport(o),
		binary: filepath.Join(dir, "flashback-sync"), histories: map[int]*site{},
	}
	l.logf("building the binary")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "duckdb_arrow", "-o", l.binary, "github.com/flashback-sync/flashback-sync/cmd/flashback-sync") //nolint:gosec // our own program
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the binary: %w", err), os.RemoveAll(dir))
	}
	return l, nil
}

func (l *lab) close() error {
	err := os.RemoveAll(l.dir)
	for _, s := range l.histories {
		err = errors.Join(err, s.simulator.stop())
	}
	return err
}

func (l *lab) logf(format string, arguments ...any) {
	fmt.Fprintf(l.log, "%s bench: "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, arguments...)...)
}

// perDay is the same for every history: a shorter one has fewer days, not
// emptier ones, so that nothing differs but the time before the recent days.
// By default it is 10,000 rows of each stream.
func (l *lab) perDay() int { return max(l.Rows/100, min(1_000, l.Rows/10), 1) }

// short and long are the rows a stream of the two histories.
func (l *lab) short() int { return l.Rows / 10 }
func (l *lab) long() int  { return l.Rows }

// history returns the site with so many rows in each stream. The first call
// starts its simulator and runs its first sync.
func (l *lab) history(ctx context.Context, rows int) (*site, error) {
	if s := l.histories[rows]; s != nil {
		return s, nil
	}
	days := max(1, rows/l.perDay())
	l.logf("simulating %d days of %d rows in each stream", days, l.perDay())
	simulator, err := startSimulator(ctx, serveSpec{Days: days, PerDay: l.perDay()})
	if err != nil {
		return nil, err
	}
	s, err := l.site(fmt.Sprintf("history-%d", rows), simulator)
	if err != nil {
		return nil, errors.Join(err, simulator.stop())
	}
	l.histories[rows] = s
	s.filled, err = l.fill(ctx, s)
	return s, err
}

// fill runs the first sync of a site.
func (l *lab) fill(ctx context.Context, s *site) (syncRun, error) {
	l.logf("%s: first sync of %d rows", filepath.Base(s.dir), s.simulator.rows())
	return l.sync(ctx, s, s.simulator.begun.Rows)
}
