package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// recorder records a run for those who look later, and notifies who is configured.
// What it cannot do is logged and changes nothing about the run.
type recorder struct {
	*journal.Recorder
	record   journal.Run
	client   *api.Client
	notifier *notify.Notifier // nil in a demo
	read     func(context.Context) (*status.Status, error)

	stopNotifying context.CancelFunc // ends the notification that the run began; set once it did
	notified      func()             // waits for that notification
}

// ignoreBrokenPipes lets the process go on where nobody reads its output any more: a
// serve that was killed, a logger that died. Otherwise SIGPIPE would end it.
func ignoreBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// record starts to record a run of the command for the job.
func (t *task) record(o run.Options, command, job string) *recorder {
	ignoreBrokenPipes()
	started := journal.Run{RunID: o.RunID, Command: command, Job: job, PID: os.Getpid(), StartedAt: time.Now().UTC(), Version: version}
	t.recorder = &recorder{
		record: started, client: t.source.Client, notifier: t.notifier,
		Recorder: journal.NewRecorder(o.DataDir, started, func(err error, message string) { t.log.Warn().Err(err).Msg(message) }),
		read:     func(ctx context.Context) (*status.Status, error) { return status.Read(ctx, statusOptions(t.config)) },
	}
	if t.config != nil && t.config.Traces.Endpoint != "" {
		t.log.Warn().Msg("traces.endpoint has no effect: this release sends no traces; remove the key")
	}
	return t.recorder
}

// observe follows the run.
func (r *recorder) observe(e run.Event) {
	switch e.Kind {
	case run.Opened:
		r.start()
	case run.Warned, run.Published:
		r.Message(e.Message)
	case run.Planned, run.Progressed, run.Verifying, run.Finished:
		r.Advance(e.Stream, func(s *journal.StreamProgress) { advance(s, e) })
	}
}

func advance(s *journal.StreamProgress, e run.Event) {
	if e.Kind == run.Planned {
		return
	}
	s.Rows, s.Expected = e.Rows, max(e.Expected, s.Expected)
	s.Requests = max(e.Requests, s.Requests)
	s.Done = e.Kind == run.Finished
	if e.Result != nil && e.Result.Err != nil {
		s.Error = inOneLine(e.Result.Err.Error())
	}
}

// start is called while the lock of data_dir is taken. A repair starts several times.
func (r *recorder) start() {
	if r.stopNotifying != nil {
		return
	}
	r.Start()
	ctx, cancel := context.WithTimeout(context.Background(), notify.Timeout)
	r.stopNotifying, r.notified = cancel, r.notifier.Started(ctx, r.record)
}

// sent counts a request by its answer.
func (r *recorder) sent(attempt api.Attempt) {
	if attempt.Status == 0 {
		r.Sent("none")
		return
	}
	r.Sent(strconv.Itoa(attempt.Status))
}

// end records how the run ended, with the error that the command returns, and then
// notifies. A run that found another instance at work records nothing: that one does.
func (r *recorder) end(ctx context.Context, failure error) {
	code := r.result(ctx, failure)
	if code == codeLocked {
		r.End(nil)
	} else {
		r.End(&r.record)
	}
	if r.stopNotifying != nil {
		defer r.stopNotifying()
		if ctx.Err() != nil {
			r.stopNotifying() // who stops us does not wait for others
		}
		r.notified()
	}
	if code != codeLocked {
		r.notifier.Ended(ctx, r.record, r.read)
	}
}

// result completes the run's record, and returns its exit code.
func (r *recorder) result(ctx context.Context, failure error) int {
	failure = reported(ctx, failure)
	code := codeOK
	if failure != nil {
		code = exitCode(ctx, failure)
	}
	done := &r.record
	done.FinishedAt, done.ExitCode, done.Status = time.Now().UTC(), code, journal.StatusOf(code)
	if code == codeDifference && done.Verdict == string(audit.Extra) {
		done.Status = journal.OK
	}
	if failure != nil {
		done.Error, done.Hint = inOneLine(failure.Error()), hintFor(failure)
	}
	done.Retries, done.Waited, done.PeakBytes = r.client.Retries(), r.client.Waited(), peakMemory()
	return code
}

// inOneLine is an error as it is recorded.
func inOneLine(text string) string {
	return visible.Short(strings.ReplaceAll(text, "\n", "; "), 2000)
}
