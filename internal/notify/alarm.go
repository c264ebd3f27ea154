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

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// Options say who is notified. Without a URL nobody is, and nothing is written.
type Options struct {
	DataDir    string
	PingURL    string // a secret, or ""
	WebhookURL string // a secret, or ""
	// StaleAfter is the lag above which a stream is stale; 0 means never.
	StaleAfter time.Duration
	Streams    []string // whose lag matters
	Link       string   // where people find the status page, or ""
	Host       string   // the name of this machine that is shown, or ""
}

// Alarms sends notifications. It is safe for concurrent use, also by several processes.
type Alarms struct {
	options Options
	sender  sender
	now     func() time.Time
}

// New sends nothing.
func New(options Options) *Alarms {
	return &Alarms{options: options, sender: newSender(), now: time.Now}
}

// Started pings that a run of a job begins. What a person narrowed by hand has no
// job, and notifies nobody.
func (a *Alarms) Started(ctx context.Context, run journal.Run) error {
	if a.options.PingURL == "" || run.Job == "" {
		return nil
	}
	return a.ping(ctx, "start", run.RunID, "")
}

// Ended reports how a run of a job ended. Runs that were skipped or stopped by a
// signal say nothing about the job, and change nothing.
func (a *Alarms) Ended(ctx context.Context, run journal.Run) error {
	if run.Job == "" || run.Status == journal.Skipped || run.Status == journal.Interrupted {
		return nil
	}
	var err error
	if a.options.PingURL != "" {
		outcome := "fail"
		if run.Good() {
			outcome = ""
		}
		err = a.ping(ctx, outcome, run.RunID, a.report(&run))
	}
	return errors.Join(err, a.send(ctx, func(s *state) []event { return a.afterRun(s, &run) }))
}

// Look reports which streams have become stale, or fresh again.
func (a *Alarms) Look(ctx context.Context, s *status.Status) error {
	if a.options.StaleAfter <= 0 || s == nil {
		return nil
	}
	return a.send(ctx, func(st *state) []event { return a.afterLook(st, s) })
}

// send sends what change returns, and records it once it was sent. Where the state
// cannot be locked, failures are sent without it: a failing disk is when an alarm
// matters most.
func (a *Alarms) send(ctx context.Context, change func(*state) []event) error {
	if a.options.WebhookURL == "" {
		return nil
	}
	unlock, lockErr := lock(ctx, a.options.DataDir)
	if lockErr != nil {
		if ctx.Err() != nil || errors.Is(lockErr, errBusy) {
			return lockErr
		}
		none := state{}.copied()
		return errors.Join(lockErr, a.post(ctx, change(&none)))
	}
	defer unlock()
	before := readState(a.options.DataDir)
	after := before.copied()
	err := a.post(ctx, change(&after))
	if err != nil {
		after = state{Jobs: before.Jobs.unsent(after.Jobs), Streams: before.Streams.unsent(after.Streams)}
	}
	if !maps.Equal(after.Jobs, before.Jobs) || !maps.Equal(after.Streams, before.Streams) {
		err = errors.Join(err, writeState(a.options.DataDir, after))
	}
	return err
}

// post sends the events as one message, if there are any.
func (a *Alarms) post(ctx context.Context, events []event) error {
	if len(events) == 0 {
		return nil
	}
	if err := a.sender.send(ctx, a.options.WebhookURL, "application/json", a.message(events)); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return nil
}
