// Package notify reports to people and their monitors how runs end: it pings a
// healthchecks-style URL at the start and end of every job, and posts to a
// Slack-compatible webhook when a job begins to fail, or a stream begins to lag,
// and when that is over.
//
// A webhook gets transitions only, and one message a day while a failure lasts.
// state/alarms.json records what was sent. It changes under a lock, and only after
// the message was accepted: of several processes one sends, and the next run sends
// what could not be sent. A message may arrive twice, where an answer was lost,
// rather than not at all.
//
// Nothing here changes how a run ends. Both URLs are secrets: no error of this
// package contains one, nor any part of it, nor what its server answered.
package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// Options say who is notified. Without a URL nobody is, and nothing is written.
type Options struct {
	DataDir    string
	PingURL    string   // a secret, or ""
	WebhookURL string   // a secret, or ""
	Streams    []string // whose lag matters
	Link       string   // where people find the status page, or ""
	Host       string   // the name of this machine that is shown, or ""
	Log        zerolog.Logger
	// WriteMetrics writes the file for node_exporter; nil if there is none.
	WriteMetrics func(*status.Status) error
}

// Timeout bounds what a run spends on notifying others.
const Timeout = time.Minute

// Notifier reports how runs go: by pings, the webhook, and the file for node_exporter.
// What fails is logged and changes nothing about a run. It is safe for concurrent use,
// also by several processes. A nil Notifier reports nothing.
type Notifier struct {
	options Options
	sender  sender
	now     func() time.Time
}

// New sends nothing.
func New(options Options) *Notifier {
	return &Notifier{options: options, sender: newSender(), now: time.Now}
}

// Started reports that a run begins, in the background; wait returns once it has.
func (n *Notifier) Started(ctx context.Context, run journal.Run) (wait func()) {
	if n == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer crash.Exit()
		defer close(done)
		n.warn(n.started(ctx, run), "the start of the run could not be reported")
	}()
	return func() { <-done }
}

// Ended reports how a run ended, once the journal has it. It calls read for what the
// metrics file shows.
func (n *Notifier) Ended(ctx context.Context, run journal.Run, read func(context.Context) (*status.Status, error)) {
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	n.warn(n.ended(ctx, run), "the end of the run could not be reported")
	if n.options.WriteMetrics == nil {
		return
	}
	now, err := read(ctx)
	if err == nil {
		err = n.options.WriteMetrics(now)
	}
	n.warn(err, "metrics.textfile could not be written")
}

// Check reports streams that became stale, or fresh again.
func (n *Notifier) Check(ctx context.Context, now *status.Status) {
	n.warn(n.check(ctx, now), "stale streams could not be reported")
}

func (n *Notifier) warn(err error, message string) {
	if err != nil {
		n.options.Log.Warn().Err(err).Msg(message)
	}
}

// started pings that a run of a job begins. What a person narrowed by hand has no
// job, and notifies nobody.
func (n *Notifier) started(ctx context.Context, run journal.Run) error {
	if n.options.PingURL == "" || run.Job == "" {
		return nil
	}
	return n.ping(ctx, "start", run.RunID, "")
}

// ended reports how a run of a job ended. Runs that were skipped or stopped by a
// signal say nothing about the job, and change nothing.
func (n *Notifier) ended(ctx context.Context, run journal.Run) error {
	if run.Job == "" || run.Status == journal.Skipped || run.Status == journal.Interrupted {
		return nil
	}
	var err error
	if n.options.PingURL != "" {
		outcome := "fail"
		if run.Good() {
			outcome = ""
		}
		err = n.ping(ctx, outcome, run.RunID, n.report(&run))
	}
	return errors.Join(err, n.send(ctx, func(s *state) []attachment { return n.afterRun(s, &run) }))
}

// check reports which streams have become stale, or fresh again.
func (n *Notifier) check(ctx context.Context, s *status.Status) error {
	if s == nil || s.StaleAfter <= 0 {
		return nil
	}
	return n.send(ctx, func(st *state) []attachment { return n.afterCheck(st, s) })
}

// send sends what change returns, and records it once it was sent. Where the state
// cannot be locked, failures are sent without it: a failing disk is when an alarm
// matters most.
func (n *Notifier) send(ctx context.Context, change func(*state) []attachment) error {
	if n.options.WebhookURL == "" {
		return nil
	}
	unlock, lockErr := journal.Lock(ctx, n.options.DataDir, lockFile, patience)
	if lockErr != nil {
		lockErr = fmt.Errorf("lock the alarms: %w", lockErr)
		if ctx.Err() != nil || errors.Is(lockErr, journal.ErrBusy) {
			return lockErr
		}
		none := state{wrongs{}, wrongs{}}
		return errors.Join(lockErr, n.post(ctx, change(&none)))
	}
	defer unlock()
	before := readState(n.options.DataDir)
	after := state{maps.Clone(before.Jobs), maps.Clone(before.Streams)}
	err := n.post(ctx, change(&after))
	if err != nil {
		after = state{Jobs: before.Jobs.unsent(after.Jobs), Streams: before.Streams.unsent(after.Streams)}
	}
	if !maps.Equal(after.Jobs, before.Jobs) || !maps.Equal(after.Streams, before.Streams) {
		err = errors.Join(err, writeState(n.options.DataDir, after))
	}
	return err
}

// post sends the events as one message, if there are any.
func (n *Notifier) post(ctx context.Context, events []attachment) error {
	if len(events) == 0 {
		return nil
	}
	if err := n.sender.send(ctx, n.options.WebhookURL, "application/json", n.message(events)); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return nil
}
