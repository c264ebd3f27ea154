package serve

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC)

// server is a Server that is not run, with an empty data_dir.
type server struct {
	*Server
	dataDir  string
	notified []*status.Status // what the metrics file would show after each run
}

func (s *server) Ended(ctx context.Context, _ journal.Run, read func(context.Context) (*status.Status, error)) {
	now, err := read(ctx)
	if err == nil {
		s.notified = append(s.notified, now)
	}
}

func (s *server) Check(context.Context, *status.Status) {}

func (s *server) recorded(t *testing.T) []journal.Run {
	t.Helper()
	j, err := journal.Read(s.dataDir)
	if err != nil {
		t.Fatal(err)
	}
	return j.Runs
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{dataDir: filepath.Join(t.TempDir(), "data")}
	place, err := Lock(s.dataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(place.Unlock)
	s.Server, err = New(Options{
		Settings: Settings{Jobs: []schedule.Job{job("sync")}, Status: status.Options{Source: status.Source{DataDir: s.dataDir}}, Notifier: s},
		Place:    place, NewRunID: func() string { return "new" }, Log: zerolog.Nop(), Stderr: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.published.child = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "echo", `{"lake_files": 4711}`) }
	return s
}

// good is a run that has recorded itself.
func (s *server) good(t *testing.T, id string, pid int) journal.Run {
	t.Helper()
	now := time.Now().UTC()
	run := journal.Run{RunID: id, Command: "sync", Job: "sync", PID: pid, Status: journal.OK, StartedAt: now.Add(-time.Second), FinishedAt: now}
	if err := journal.Append(s.dataDir, run); err != nil {
		t.Fatal(err)
	}
	return run
}

func job(name string) schedule.Job {
	plan, err := schedule.Parse("@every 1h", time.UTC)
	if err != nil {
		panic(err)
	}
	return schedule.Job{Name: name, Command: name, Plan: plan}
}

func TestAFailedReloadChangesNothing(t *testing.T) {
	s := newServer(t)
	good := Settings{Jobs: []schedule.Job{job("verify")}, Notifier: s, Status: status.Options{StaleAfter: time.Hour}}
	s.options.Reload = func() (Settings, error) { return good, errors.New("no such time zone") }
	if s.reload() == nil || s.present().Status.StaleAfter != 0 || s.supervisor.State()[0].Name != "sync" {
		t.Errorf("a bad configuration was taken: %+v", s.present())
	}
	s.options.Reload = func() (Settings, error) { return good, nil }
	if err := s.reload(); err != nil || s.present().Status.StaleAfter != time.Hour || s.supervisor.State()[0].Name != "verify" {
		t.Errorf("%v: a good configuration was not taken: %+v", err, s.present())
	}
}

// Another run of the job that ends at the same time is not the one that was killed.
func TestAKilledRunIsNotTakenForAnother(t *testing.T) {
	s := newServer(t)
	other := s.good(t, "other", 7)
	start := other.FinishedAt.Add(-time.Millisecond)
	outcome := schedule.Outcome{PID: other.PID + 1, ExitCode: -1, Signal: syscall.SIGKILL, Crashed: true, Started: start, Finished: start.Add(time.Second)}
	for range 2 { // the second time it finds what the first recorded
		run, bySelf, err := record(s.dataDir, s.runOf(job("sync"), outcome, "killed", failure{}), outcome)
		if err != nil || bySelf || run.Status != journal.Crashed || run.PID != outcome.PID {
			t.Errorf("got %+v, %v, %v", run, bySelf, err)
		}
	}
	if runs := s.recorded(t); len(runs) != 2 || runs[0].Status != journal.Crashed {
		t.Errorf("got %+v", runs)
	}
	outcome.PID = other.PID
	if run, bySelf, err := record(s.dataDir, s.runOf(job("sync"), outcome, other.RunID, failure{}), outcome); err != nil || !bySelf || run.RunID != other.RunID {
		t.Errorf("got %+v, %v, %v", run, bySelf, err)
	}
}

// serve never opens DuckDB, whatever it reports: what is published comes from a child.
func TestACrashIsReportedWithoutDuckDB(t *testing.T) {
	s := newServer(t)
	now := time.Now()
	outcome := schedule.Outcome{PID: 1, Crashed: true, Signal: syscall.SIGKILL, Started: now, Finished: now}
	s.recordEnded(t.Context(), s.runOf(job("sync"), outcome, "killed", failure{}), outcome)
	if len(s.notified) != 1 || s.notified[0].Holdings.LakeFiles != 4711 || s.notified[0].Runs[0].Status != journal.Crashed {
		t.Errorf("reported %+v", s.notified)
	}
}

// While the disk takes nothing the journal shows only good runs, and serve knows better.
func TestThePageShowsARunThatCannotBeRecorded(t *testing.T) {
	s := newServer(t)
	s.good(t, "first", 7)
	lock := filepath.Join(s.dataDir, "state", "runs.lock")
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o750)); err != nil { // nothing can be recorded
		t.Fatal(err)
	}
	start := time.Now()
	outcome := schedule.Outcome{PID: 1, ExitCode: exitStorage, Started: start, Finished: start}
	s.recordEnded(t.Context(), s.runOf(job("sync"), outcome, "failed", failure{error: "read-only file system"}), outcome)
	if now, err := s.status(t.Context()); err != nil || now.Runs[0].Status != journal.Failed || len(now.Problems()) == 0 {
		t.Errorf("got %+v, %v", now, err)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	s.good(t, "second", 8)
	if now, err := s.status(t.Context()); err != nil || now.Runs[0].RunID != "second" {
		t.Errorf("after the disk was repaired: %+v, %v", now, err)
	}
}

// An unmounted volume leaves an empty folder. A run there would start from nothing.
func TestNoRunStartsInADataDirThatVanished(t *testing.T) {
	s := newServer(t)
	if now, err := s.status(t.Context()); err != nil || now.HoldingsError != "" {
		t.Fatalf("%v, %+v", err, now)
	}
	away := s.dataDir + ".unmounted"
	if err := errors.Join(os.Rename(s.dataDir, away), os.Mkdir(s.dataDir, 0o750)); err != nil {
		t.Fatal(err)
	}
	outcome := s.work(t.Context(), schedule.Turn{Job: job("sync"), Slot: time.Now()})
	if outcome.ExitCode != exitStorage || outcome.Err == nil || len(s.notified) != 1 {
		t.Errorf("%+v", outcome)
	}
	s.recordSkipped(journal.Run{Job: "sync"})
	if left, err := os.ReadDir(s.dataDir); err != nil || len(left) > 0 {
		t.Errorf("%v was made in it, %v", left, err)
	}
	now, err := s.status(t.Context())
	if err != nil || !strings.Contains(now.HoldingsError, "not the folder that serve started with") || len(now.Runs) != 1 || now.Runs[0].Status != journal.Failed {
		t.Errorf("%v, %+v", err, now)
	}
	if err := errors.Join(os.Remove(s.dataDir), os.Rename(away, s.dataDir)); err != nil {
		t.Fatal(err)
	}
	if now, err := s.status(t.Context()); err != nil || now.HoldingsError != "" {
		t.Errorf("it is back: %v, %+v", err, now)
	}
}
