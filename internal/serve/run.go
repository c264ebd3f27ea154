package serve

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
)

const (
	// DataDirKey is the environment variable that overrides data_dir.
	DataDirKey = "FLASHBACK_SYNC_DATA_DIR"
	// RunIDKey is the environment variable with the id that serve gives to a run, so
	// that both log the same.
	RunIDKey = "FLASHBACK_RUN_ID"
)

// exitStorage is the exit code for a data_dir that cannot be used.
const exitStorage = 6

// work runs a job in a child process.
func (s *Server) work(ctx context.Context, turn schedule.Turn) schedule.Outcome {
	job := turn.Job
	runID := s.options.NewRunID()
	if err := s.options.Place.check(); err != nil {
		return s.refuse(ctx, job, runID, err)
	}
	dataDir := s.options.Place.dataDir
	log := s.log.With().Str("run_id", runID).Str("job", job.Name).Logger()
	log.Info().Time("slot", turn.Slot).Bool("catch_up", turn.CatchUp).Msg("a run begins")
	errs := &stderr{to: s.options.Stderr, log: &log}
	if s.present().PlainLogs {
		errs.log = nil
	}
	child := schedule.Child{Program: s.program, Env: append(environment(os.Environ(), dataDir), RunIDKey+"="+runID), Stderr: errs, Grace: 20 * time.Second}
	watched, release := untilStalled(ctx, s.patience, func() string { return progressOf(dataDir) })
	defer release()
	outcome := child.Run(watched, job.Arguments...)
	if errors.Is(context.Cause(watched), errStalled) {
		outcome.Err = cmp.Or(outcome.Err, errStalled)
	}
	run := s.runOf(job, outcome, runID, errs.failure())
	logEnd(log, run)
	if outcome.ExitCode != schedule.ExitLocked {
		s.recordEnded(ctx, run, outcome)
	}
	select {
	case s.ended <- struct{}{}:
	default: // a check is already due
	}
	return outcome
}

// logEnd logs how a run ended, at the level that it deserves.
func logEnd(log zerolog.Logger, run journal.Run) {
	level := zerolog.ErrorLevel
	switch run.Status {
	case journal.OK, journal.Interrupted, journal.Skipped:
		level = zerolog.InfoLevel
	case journal.Partial:
		level = zerolog.WarnLevel
	}
	line := log.WithLevel(level)
	if run.Error != "" {
		line = line.Str("error", run.Error)
	}
	if run.Hint != "" {
		line = line.Str("hint", run.Hint)
	}
	line.Int("exit_code", run.ExitCode).Dur("took_ms", run.Took()).Bool("crashed", run.Status == journal.Crashed).Msg("a run ended")
}

// refuse reports a run that is not started, since data_dir is another folder now.
// Nothing is written there.
func (s *Server) refuse(ctx context.Context, job schedule.Job, runID string, err error) schedule.Outcome {
	now := time.Now().UTC()
	outcome := schedule.Outcome{ExitCode: exitStorage, Started: now, Finished: now, Err: err}
	run := s.runOf(job, outcome, runID, failure{})
	run.Hint = "mount the volume again; runs continue once it is there, or restart serve for a data_dir that is new on purpose"
	s.log.Error().Err(err).Str("job", job.Name).Msg("a run was not started")
	s.setUnrecorded(run)
	s.present().Notifier.Ended(ctx, run, s.status)
	return outcome
}

// environment is that of a run. It leaves out systemd's socket and watchdog, which
// are for serve, and pins data_dir: another one in a changed file counts from the next
// start of serve.
func environment(own []string, dataDir string) []string {
	own = slices.DeleteFunc(own, func(entry string) bool {
		return strings.HasPrefix(entry, "NOTIFY_SOCKET=") || strings.HasPrefix(entry, "WATCHDOG_") || strings.HasPrefix(entry, DataDirKey+"=")
	})
	return append(own, DataDirKey+"="+dataDir)
}
