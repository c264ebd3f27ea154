package serve

import (
	"context"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// recordEnded records a run that could not do so itself and notifies of it, also of
// one that was killed after it was recorded and before it had notified anybody.
func (s *Server) recordEnded(ctx context.Context, run journal.Run, outcome schedule.Outcome) {
	recorded, bySelf, err := record(s.options.Place.dataDir, run, outcome)
	if err != nil {
		s.log.Error().Err(err).Msg("the end of a run cannot be recorded in the journal")
		s.setUnrecorded(recorded)
	}
	if !bySelf || outcome.Crashed {
		s.present().Notifier.Ended(ctx, recorded, s.status)
	}
}

func (s *Server) setUnrecorded(run journal.Run) {
	s.mu.Lock()
	s.unrecorded = &run
	s.mu.Unlock()
}

// record makes sure that the journal has the run of a process that has ended, and
// returns it as it is there. bySelf is set if the run recorded itself, as far as can
// be known.
func record(dataDir string, run journal.Run, outcome schedule.Outcome) (_ journal.Run, bySelf bool, err error) {
	release, err := journal.Claim(dataDir)
	claimed := err == nil
	if claimed { // otherwise another run has started, and has recorded this one if it had to
		defer release()
	}
	known, err := journal.Read(dataDir)
	if err != nil {
		return run, outcome.PID != 0, err
	}
	if i := slices.IndexFunc(known.Runs, func(r journal.Run) bool { return r.RunID == run.RunID }); i >= 0 {
		return known.Runs[i], known.Runs[i].Status != journal.Crashed, nil
	}
	left, err := journal.ReadProgress(dataDir)
	died := claimed && err == nil && left != nil && left.RunID == run.RunID
	if died {
		dead := left.Crashed()
		dead.FinishedAt = outcome.Finished
		if !outcome.Crashed { // it gave up, and may have printed why
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

// runOf is a run of which only the process is known.
func (s *Server) runOf(job schedule.Job, outcome schedule.Outcome, runID string, printed failure) journal.Run {
	run := journal.Run{
		RunID: runID, Command: job.Command, Job: job.Name, PID: outcome.PID, StartedAt: outcome.Started, FinishedAt: outcome.Finished,
		ExitCode: outcome.ExitCode, Status: journal.StatusOf(outcome.ExitCode), Error: printed.error, Hint: printed.hint, Version: s.options.Version,
	}
	switch {
	case outcome.Err != nil:
		run.Status, run.Error = journal.Failed, visible.Short(outcome.Err.Error(), 500)
	case outcome.Crashed:
		run.Status, run.ExitCode, run.Hint = journal.Crashed, -1, journal.CrashedHint
		run.Error = strings.TrimSuffix("it was ended by "+schedule.SignalName(outcome.Signal)+": "+printed.error, ": ")
	}
	return run
}

// recordSkipped records a slot that was skipped.
func (s *Server) recordSkipped(run journal.Run) {
	s.log.Warn().Str("job", run.Job).Time("slot", run.StartedAt).Str("why", run.Error).Msg("a slot was skipped")
	if s.options.Place.check() != nil {
		return
	}
	if err := journal.Append(s.options.Place.dataDir, run); err != nil {
		s.log.Error().Err(err).Msg("a skipped slot cannot be recorded in the journal")
	}
}
