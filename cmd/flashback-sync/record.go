package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// heartbeat is how often a run renews its progress.
const heartbeat = time.Second

// recorder notes a run for those who look later: its progress while it goes on,
// its line in the journal, its pings and alarms. Whatever it cannot do is logged
// and changes nothing about the run.
type recorder struct {
	dir    string
	log    zerolog.Logger
	client *api.Client
	outbox outbox

	mu       sync.Mutex
	run      journal.Run
	progress journal.Progress
	statuses map[string]int64 // requests by the answer's status
	began    bool
	stop     chan struct{}
	giveUp   context.CancelFunc // ends telling that the run began; set once it did
	told     func()             // waits until that is told
	release  func()             // gives the progress file free; nil if it is not ours
	beating  sync.WaitGroup
}

// unheard lets the process go on where nobody reads what it writes any more: a
// serve that was killed, a logger that died. Otherwise SIGPIPE would end it.
func unheard() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// record begins to note a run of the command for the job.
func (t *task) record(o run.Options, command, job string) *recorder {
	unheard()
	r := &recorder{
		dir: o.DataDir, log: t.log, client: t.source.Client, outbox: t.outbox, stop: make(chan struct{}), statuses: map[string]int64{},
		run: journal.Run{
			RunID: o.RunID, Command: command, Job: job, PID: os.Getpid(), StartedAt: time.Now().UTC(), Version: version,
		},
	}
	r.progress = journal.Progress{RunID: r.run.RunID, Command: command, Job: job, PID: r.run.PID, StartedAt: r.run.StartedAt}
	if t.config != nil && t.config.Traces.Endpoint != "" {
		t.log.Warn().Msg("traces.endpoint has no effect: this release sends no traces; remove the key")
	}
	t.recorder = r
	return r
}

// observe follows the run.
func (r *recorder) observe(e run.Event) {
	if e.Kind == run.Opened {
		r.begin()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case run.Planned, run.Progressed, run.Verifying, run.Finished:
		r.advance(e)
	case run.Warned, run.Published:
		r.progress.Message = e.Message
	}
}

// sent counts a request by its answer. It is called by several goroutines.
func (r *recorder) sent(attempt api.Attempt) {
	status := "none"
	if attempt.Status != 0 {
		status = strconv.Itoa(attempt.Status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[status]++
	r.progress.Requests++
}

// advance moves the stream of an event. The lock is held.
func (r *recorder) advance(e run.Event) {
	var s *journal.StreamProgress
	for i := range r.progress.Streams {
		if r.progress.Streams[i].Stream == e.Stream {
			s = &r.progress.Streams[i]
		}
	}
	if s == nil {
		r.progress.Streams = append(r.progress.Streams, journal.StreamProgress{Stream: e.Stream})
		s = &r.progress.Streams[len(r.progress.Streams)-1]
	}
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

// begin is called once the lock of data_dir is held: whoever left a progress file
// is dead.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began {
		return
	}
	r.began = true
	var err error
	if r.release, err = journal.Claim(r.dir); err != nil {
		r.log.Warn().Err(err).Msg("whether a run died cannot be known")
	} else {
		noteDead(r.dir, r.log)
	}
	telling, giveUp := context.WithTimeout(context.Background(), tellingTime)
	r.giveUp, r.told = giveUp, r.outbox.started(telling, r.run)
	r.beating.Go(func() {
		defer crash.Exit()
		for tick := time.NewTicker(heartbeat); ; {
			r.beat()
			select {
			case <-tick.C:
			case <-r.stop:
				tick.Stop()
				return
			}
		}
	})
}

func (r *recorder) beat() {
	r.mu.Lock()
	r.progress.UpdatedAt = time.Now().UTC()
	p := r.progress
	p.Streams = append([]journal.StreamProgress(nil), p.Streams...)
	r.mu.Unlock()
	if err := journal.WriteProgress(r.dir, &p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.log.Debug().Err(err).Msg("the run's progress cannot be shown")
	}
}

// noteDead notes the run that left a progress file and was killed.
func noteDead(dir string, log zerolog.Logger) {
	left, err := journal.ReadProgress(dir)
	if err != nil || left == nil {
		return
	}
	err = journal.Append(dir, deadRun(left))
	if err == nil {
		err = journal.EndProgress(dir)
	}
	if err != nil {
		log.Warn().Err(err).Msg("a run that died cannot be noted")
	}
}

func deadRun(left *journal.Progress) journal.Run {
	run := journal.Run{
		RunID: left.RunID, Command: left.Command, Job: left.Job, PID: left.PID, StartedAt: left.StartedAt, FinishedAt: left.UpdatedAt,
		Status: journal.Crashed, ExitCode: -1, Error: journal.Killed,
		Hint: "what was committed is kept, and the next run goes on from there", Streams: map[string]journal.Stream{},
	}
	for _, s := range left.Streams {
		run.Streams[s.Stream] = journal.Stream{Requests: s.Requests, Received: s.Rows, Served: true, Error: s.Error}
	}
	return run
}

// end notes how the run ended, with the error that the command returns, and then
// tells it.
func (r *recorder) end(ctx context.Context, failure error) {
	failure = told(ctx, failure)
	close(r.stop)
	r.beating.Wait()
	ours := r.note(ctx, failure)
	if r.release != nil {
		r.release()
	}
	if r.began {
		defer r.giveUp()
		if ctx.Err() != nil {
			r.giveUp() // whoever stops us does not wait for others
		}
		r.told()
	}
	if ours {
		r.outbox.ended(ctx, r.run)
	}
}

// note notes how the run ended, unless that is another instance's affair.
func (r *recorder) note(ctx context.Context, failure error) (ours bool) {
	code := codeOK
	if failure != nil {
		code = exitCode(ctx, failure)
	}
	run := &r.run
	run.FinishedAt, run.ExitCode, run.Status = time.Now().UTC(), code, statusOf(code)
	if code == codeLocked {
		return false // the other instance notes its own
	}
	if code == codeDifference && run.Verdict == string(audit.Extra) {
		run.Status = journal.OK
	}
	if failure != nil {
		run.Error, run.Hint = inOneLine(failure.Error()), hintFor(failure)
	}
	run.Requests, run.Retries, run.Waited = r.statuses, r.client.Retries(), r.client.Waited()
	run.PeakBytes = peakMemory()
	if err := r.keep(); err != nil {
		r.log.Warn().Err(err).Msg("the run cannot be noted in the journal")
	}
	return true
}

// keep writes the run's line. Without a folder for it nothing was begun, either.
func (r *recorder) keep() error {
	if _, err := os.Stat(filepath.Join(r.dir, "state")); err != nil {
		return err
	}
	if err := journal.Append(r.dir, r.run); err != nil {
		return err
	}
	if !r.began {
		return nil
	}
	return journal.EndProgress(r.dir)
}

// inOneLine is an error as it is noted.
func inOneLine(text string) string { return clean(strings.ReplaceAll(text, "\n", "; "), 2000) }

func statusOf(code int) string {
	switch code {
	case codeOK:
		return journal.OK
	case codePartial, codeDifference:
		return journal.Partial
	case 130, 143:
		return journal.Interrupted
	}
	return journal.Failed
}
