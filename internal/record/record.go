// Package record records a run for those who look later, and notifies who is
// configured. What it cannot do is logged and changes nothing about the run.
package record

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// Options say which run is recorded, and how.
type Options struct {
	DataDir  string
	Run      journal.Run // what is known when it begins
	Client   *api.Client // that sends its requests
	Notifier *notify.Notifier
	// Status reads what the metrics file shows.
	Status func(context.Context) (*status.Status, error)
	Log    zerolog.Logger
}

// Recorder records one run: its progress while it goes on, and its line in the journal when
// it ends. A nil Recorder records nothing. Observe and Sent may be called from anywhere.
type Recorder struct {
	options Options
	run     journal.Run

	mu       sync.Mutex // of the next two
	progress journal.Progress
	requests map[string]int64 // by the answer's status

	// These are set once the run has started.
	stop          chan struct{} // ends the heartbeat
	beats         sync.WaitGroup
	release       func()             // gives up the claim to the progress file; nil if it is not ours
	stopNotifying context.CancelFunc // ends the notification that the run began
	notified      func()             // waits for that notification
}

// New writes nothing yet.
func New(o Options) *Recorder {
	return &Recorder{
		options: o, run: o.Run, requests: map[string]int64{},
		progress: journal.Progress{RunID: o.Run.RunID, Command: o.Run.Command, Job: o.Run.Job, PID: o.Run.PID, StartedAt: o.Run.StartedAt},
	}
}

func (r *Recorder) warn(err error, message string) {
	if err != nil {
		r.options.Log.Warn().Err(err).Msg(message)
	}
}

// Synced adds a run's figures.
func (r *Recorder) Synced(summary *run.Summary) {
	if r == nil || summary == nil {
		return
	}
	r.run.Outcome, r.run.Streams = summary.Status, map[string]journal.Stream{}
	for name, s := range summary.Streams {
		done := s.Stream
		if s.Error != nil {
			done.Error = new(oneLine(*s.Error))
		}
		r.run.Streams[name] = done
		r.run.Verdict = string(audit.Worse(audit.Status(r.run.Verdict), audit.Status(s.Verified)))
		r.run.Missing += s.VerifiedMissing
	}
}

// Verified adds a verification's verdict. Rows that the source has deleted raise no
// alarm.
func (r *Recorder) Verified(report *audit.Report) {
	if r == nil || report == nil {
		return
	}
	r.run.Verdict, r.run.Missing = string(report.Status), 0
	if report.Status != audit.Match && report.OnlyExtra() {
		r.run.Verdict = string(audit.Extra)
	}
	for _, s := range report.Streams {
		r.run.Missing += s.Missing
	}
}

// Repaired adds what a repair did and left.
func (r *Recorder) Repaired(done audit.Repaired) {
	r.Synced(done.Summary)
	r.Verified(cmp.Or(done.Left, done.Found))
}

// End records how the run ended, with the exit code, error and hint of the command, and
// then notifies. A run that found another instance at work records nothing: that one does.
func (r *Recorder) End(ctx context.Context, code int, failure error, hint string) {
	r.complete(code, failure, hint)
	if r.stop != nil {
		close(r.stop)
		r.beats.Wait()
	}
	skipped := r.run.Status == journal.Skipped
	if !skipped {
		r.warn(r.append(), "the run cannot be recorded in the journal")
	}
	if r.release != nil {
		r.release()
	}
	if r.stopNotifying != nil {
		defer r.stopNotifying()
		if ctx.Err() != nil {
			r.stopNotifying() // who stops us does not wait for others
		}
		r.notified()
	}
	if !skipped {
		r.options.Notifier.Ended(ctx, r.run, r.options.Status)
	}
}

// append writes the run's line. Without the folder for it nothing was started, either.
func (r *Recorder) append() error {
	if _, err := os.Stat(filepath.Join(r.options.DataDir, "state")); err != nil {
		return err
	}
	err := journal.Append(r.options.DataDir, r.run)
	if err == nil && r.stop != nil {
		err = journal.EndProgress(r.options.DataDir)
	}
	return err
}

// complete completes the run's record.
func (r *Recorder) complete(code int, failure error, hint string) {
	r.run.FinishedAt, r.run.ExitCode, r.run.Status = time.Now().UTC(), code, journal.StatusOf(code)
	if errors.Is(failure, audit.ErrDifference) && r.run.Status == journal.Partial && r.run.Verdict == string(audit.Extra) {
		r.run.Status = journal.OK
	}
	if failure != nil {
		r.run.Error, r.run.Hint = oneLine(failure.Error()), hint
	}
	client := r.options.Client
	r.run.Requests, r.run.Retries, r.run.Waited, r.run.PeakBytes = r.requests, client.Retries(), client.Waited(), peakMemory()
}

// oneLine is an error as it is recorded: a line of the journal that is too long would
// hide those behind it.
func oneLine(text string) string {
	return visible.Short(strings.ReplaceAll(text, "\n", "; "), 2000)
}

// peakMemory is the largest resident memory of the process so far, in bytes.
func peakMemory() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10 // Linux counts in kilobytes
}
