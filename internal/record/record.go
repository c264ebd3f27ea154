// Package record records a run for those who look later, and notifies who is
// configured. What it cannot do is logged and changes nothing about the run.
package record

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
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

// Recorder records one run. A nil Recorder records nothing.
type Recorder struct {
	options Options
	journal *journal.Recorder
	run     journal.Run

	stopNotifying context.CancelFunc // ends the notification that the run began; set once it did
	notified      func()             // waits for that notification
}

// New writes nothing yet.
func New(o Options) *Recorder {
	warn := func(err error, message string) { o.Log.Warn().Err(err).Msg(message) }
	return &Recorder{options: o, run: o.Run, journal: journal.NewRecorder(o.DataDir, o.Run, warn)}
}

// Observe follows the run.
func (r *Recorder) Observe(e run.Event) {
	if r == nil {
		return
	}
	switch e.Kind {
	case run.Opened:
		r.start()
	case run.Warned, run.Published:
		r.journal.Message(e.Message)
	case run.Planned:
		r.journal.Advance(e.Stream, func(*journal.StreamProgress) {})
	case run.Progressed, run.Verifying, run.Finished:
		r.journal.Advance(e.Stream, func(s *journal.StreamProgress) { advance(s, e) })
	}
}

func advance(s *journal.StreamProgress, e run.Event) {
	s.Rows, s.Expected = e.Rows, max(e.Expected, s.Expected)
	s.Requests = max(e.Requests, s.Requests)
	s.Done = e.Kind == run.Finished
	if e.Result != nil && e.Result.Err != nil {
		s.Error = oneLine(e.Result.Err.Error())
	}
}

// start is called while the lock of data_dir is taken. A repair starts several times.
func (r *Recorder) start() {
	if r.stopNotifying != nil {
		return
	}
	r.journal.Start()
	ctx, cancel := context.WithTimeout(context.Background(), notify.Timeout)
	r.stopNotifying, r.notified = cancel, r.options.Notifier.Started(ctx, r.run)
}

// Sent counts a request by its answer.
func (r *Recorder) Sent(attempt api.Attempt) {
	switch {
	case r == nil:
	case attempt.Status == 0:
		r.journal.Sent("none")
	default:
		r.journal.Sent(strconv.Itoa(attempt.Status))
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
	skipped := r.run.Status == journal.Skipped
	if skipped {
		r.journal.End(nil)
	} else {
		r.journal.End(&r.run)
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
	r.run.Retries, r.run.Waited, r.run.PeakBytes = client.Retries(), client.Waited(), peakMemory()
}

// oneLine is an error as it is recorded: a line of the journal that is too long would
// hide those behind it.
func oneLine(text string) string {
	return visible.Short(strings.ReplaceAll(text, "\n", "; "), 2000)
}
