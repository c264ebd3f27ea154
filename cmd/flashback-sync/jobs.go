package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

const (
	jobSync   = "sync"
	jobVerify = "verify"
)

// scheduled are the jobs of the configuration.
func scheduled(c *config.Config) (jobs []schedule.Job, err error) {
	zone, err := time.LoadLocation(c.Schedule.Timezone)
	if err != nil {
		return nil, usage(fmt.Errorf("schedule.timezone: %w", err))
	}
	texts := map[string]string{
		jobSync: c.Schedule.Sync, run.Alerts: c.Schedule.Alerts, run.Violations: c.Schedule.Violations,
		run.PolicyStats: c.Schedule.PolicyStats, jobVerify: c.Schedule.Verify,
	}
	for _, name := range []string{jobSync, run.Alerts, run.Violations, run.PolicyStats, jobVerify} {
		if texts[name] == "" || name == jobSync && len(together(c)) == 0 {
			continue
		}
		plan, err := schedule.Parse(texts[name], zone)
		if err != nil {
			return nil, usage(fmt.Errorf("schedule.%s: %w", name, err))
		}
		command := jobSync
		if name == jobVerify {
			command = jobVerify
		}
		jobs = append(jobs, schedule.Job{Name: name, Command: command, Plan: plan, Jitter: c.Schedule.Jitter, Eager: name != jobVerify})
	}
	return jobs, nil
}

// together are the streams that have no schedule of their own.
func together(c *config.Config) (streams []string) {
	apart := map[string]string{
		run.Alerts: c.Schedule.Alerts, run.Violations: c.Schedule.Violations, run.PolicyStats: c.Schedule.PolicyStats,
	}
	for _, name := range streamsOf(c) {
		if apart[name] == "" {
			streams = append(streams, name)
		}
	}
	return streams
}

// arguments are those of the process that does a job.
func (s *server) arguments(c *config.Config, job string) []string {
	var arguments []string
	switch job {
	case jobVerify:
		arguments = []string{jobVerify, "--job", jobVerify}
	case jobSync:
		arguments = []string{jobSync, "--json", "--job", jobSync}
		if streams := together(c); len(streams) < len(streamsOf(c)) {
			for _, stream := range streams {
				arguments = append(arguments, "--stream", stream)
			}
		}
	default:
		arguments = []string{jobSync, "--json", "--job", job, "--stream", job}
	}
	return append(arguments, s.globals()...)
}

// globals are the flags that we were given ourselves.
func (s *server) globals() (arguments []string) {
	for flag, value := range map[string]string{
		"--config": s.app.configPath, "--log-level": s.app.logLevel, "--log-format": s.app.logFormat,
	} {
		if value != "" {
			arguments = append(arguments, flag, value)
		}
	}
	return arguments
}

func (s *server) jobs() (jobs []status.Job) {
	for _, state := range s.supervisor.State() {
		jobs = append(jobs, status.Job(state))
	}
	return jobs
}

// work does a job in a process of its own.
func (s *server) work(ctx context.Context, turn schedule.Turn) schedule.Outcome {
	c, _ := s.present()
	if err := s.place.check(); err != nil {
		return s.refuse(ctx, turn, err)
	}
	runID := newRunID()
	log := s.log.With().Str("run_id", runID).Str("job", turn.Job).Logger()
	log.Info().Time("slot", turn.Slot).Bool("catch_up", turn.CatchUp).Msg("a run begins")
	stderr := &ending{to: s.app.stderr, log: &log}
	if s.app.forPeople(c.Log) {
		stderr.log = nil
	}
	child := schedule.Child{Program: s.binary, Env: append(environment(os.Environ(), c.DataDir), runIDKey+"="+runID), Stderr: stderr}
	watched, release := untilStalled(ctx, s.patience, func() string { return progressOf(c.DataDir) })
	defer release()
	outcome := child.Run(watched, s.arguments(c, turn.Job)...)
	if errors.Is(context.Cause(watched), errStalled) {
		outcome.Err = cmp.Or(outcome.Err, errStalled)
	}
	said := stderr.reported()
	logEnd(log, outcome, said)
	if outcome.ExitCode != codeLocked {
		s.noteUnnoted(ctx, turn, outcome, runID, said)
	}
	return outcome
}

// logEnd logs how a run ended, as loud as it matters.
func logEnd(log zerolog.Logger, outcome schedule.Outcome, said reported) {
	line := log.Info()
	switch outcome.ExitCode {
	case codeOK, codeLocked, stopped{syscall.SIGINT}.code(), stopped{syscall.SIGTERM}.code():
	case codePartial, codeDifference:
		line = log.Warn()
	default:
		line = log.Error()
	}
	if outcome.Err != nil {
		line, said.error = log.Error(), outcome.Err.Error()
	}
	if outcome.Crashed {
		said.error = cmp.Or(said.error, "ended by "+signalName(outcome.Signal))
	}
	if said.error != "" {
		line = line.Str("error", said.error)
	}
	if said.hint != "" {
		line = line.Str("hint", said.hint)
	}
	line.Int("exit_code", outcome.ExitCode).Dur("took_ms", outcome.Finished.Sub(outcome.Started)).Bool("crashed", outcome.Crashed).Msg("a run ended")
}

// refuse reports a run that is not started, since data_dir is another folder. Nothing
// is noted there.
func (s *server) refuse(ctx context.Context, turn schedule.Turn, err error) schedule.Outcome {
	now := time.Now().UTC()
	outcome := schedule.Outcome{ExitCode: codeStorage, Started: now, Finished: now, Err: err}
	run := unnoted(turn, outcome, newRunID(), reported{})
	run.Hint = "mount the volume again; runs go on by themselves once it is there, or restart serve for a data_dir that is new on purpose"
	s.log.Error().Err(err).Str("job", turn.Job).Msg("a run was not started")
	s.mu.Lock()
	s.lost = &run
	s.mu.Unlock()
	_, out := s.present()
	out.ended(ctx, run)
	return outcome
}

// environment is that of a run. It keeps systemd's socket and watchdog to ourselves,
// and the run in our data_dir: another one, in a file that was changed meanwhile,
// counts from our next start.
func environment(ours []string, dataDir string) []string {
	ours = slices.DeleteFunc(ours, func(entry string) bool {
		return strings.HasPrefix(entry, "NOTIFY_SOCKET=") || strings.HasPrefix(entry, "WATCHDOG_") || strings.HasPrefix(entry, dataDirKey+"=")
	})
	return append(ours, dataDirKey+"="+dataDir)
}

const (
	// dataDirKey overrides data_dir.
	dataDirKey = "FLASHBACK_SYNC_DATA_DIR"
	// runIDKey is the id that serve gives to a run, so that both log the same.
	runIDKey = "FLASHBACK_RUN_ID"
)

// noteUnnoted notes a run that could not do so itself, and tells of it; also of one
// that was killed between the two.
func (s *server) noteUnnoted(ctx context.Context, turn schedule.Turn, outcome schedule.Outcome, runID string, said reported) {
	c, out := s.present()
	run, byItself, err := settle(c.DataDir, turn, outcome, runID, said)
	if err != nil {
		s.log.Error().Err(err).Msg("how a run ended cannot be noted in the journal")
		s.mu.Lock()
		s.lost = &run
		s.mu.Unlock()
	}
	if !byItself || outcome.Crashed {
		out.ended(ctx, run)
	}
}

// settle sees to it that the journal knows of a run that has ended, and finds out
// what it knows; byItself is set if the run said so, as far as can be known.
func settle(dataDir string, turn schedule.Turn, outcome schedule.Outcome, runID string, said reported) (run journal.Run, byItself bool, err error) {
	release, err := journal.Claim(dataDir)
	claimed := err == nil
	if claimed { // or else another run has begun, and has noted this one if it had to
		defer release()
	}
	run = unnoted(turn, outcome, runID, said)
	noted, err := journal.Read(dataDir)
	if err != nil {
		return run, outcome.PID != 0, err
	}
	for _, known := range noted.Runs {
		if isOf(&known, turn, outcome) {
			return known, known.Status != journal.Crashed, nil
		}
	}
	left, err := journal.ReadProgress(dataDir)
	died := claimed && err == nil && left != nil && left.PID == outcome.PID &&
		!left.StartedAt.Before(outcome.Started) && !left.StartedAt.After(outcome.Finished)
	if died {
		dead := deadRun(left)
		dead.FinishedAt = outcome.Finished
		if !outcome.Crashed { // it gave up, and could say why
			dead.Status, dead.ExitCode, dead.Error, dead.Hint = run.Status, run.ExitCode, run.Error, run.Hint
		}
		run = dead
	}
	if err := journal.Append(dataDir, run); err != nil {
		return run, false, err
	}
	if died {
		err = journal.EndProgress(dataDir)
	}
	return run, false, err
}

// isOf reports whether a run of the journal is that of a process that has ended. A
// release that noted no process may be in our place by now.
func isOf(run *journal.Run, turn schedule.Turn, outcome schedule.Outcome) bool {
	return run.Job == turn.Job && run.Status != journal.Skipped && !run.FinishedAt.Before(outcome.Started) &&
		(run.PID == outcome.PID || run.PID == 0)
}

// unnoted is a run of which only its process is known.
func unnoted(turn schedule.Turn, outcome schedule.Outcome, runID string, said reported) journal.Run {
	run := journal.Run{
		RunID: runID, Command: jobSync, Job: turn.Job, PID: outcome.PID, StartedAt: outcome.Started, FinishedAt: outcome.Finished,
		ExitCode: outcome.ExitCode, Status: statusOf(outcome.ExitCode), Error: said.error, Hint: said.hint, Version: version,
	}
	if turn.Job == jobVerify {
		run.Command = jobVerify
	}
	switch {
	case outcome.Err != nil:
		run.Status, run.Error = journal.Failed, clean(outcome.Err.Error(), 500)
	case outcome.Crashed:
		run.Status, run.ExitCode, run.Error = journal.Crashed, -1, "it was ended by "+signalName(outcome.Signal)
		run.Hint = "what was committed is kept, and the next run goes on from there"
	}
	return run
}

// note notes a slot that is skipped.
func (s *server) note(run journal.Run) {
	c, _ := s.present()
	s.log.Warn().Str("job", run.Job).Time("slot", run.StartedAt).Str("why", run.Error).Msg("a slot was skipped")
	if s.place.check() != nil {
		return
	}
	if err := journal.Append(c.DataDir, run); err != nil {
		s.log.Error().Err(err).Msg("a skipped slot cannot be noted in the journal")
	}
}
