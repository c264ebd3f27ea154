package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// tellingTime bounds what a run spends on telling others how it went.
const tellingTime = time.Minute

// outbox tells those outside how runs go: pings, the webhook, the file for
// node_exporter. Nothing that goes wrong here changes a run.
type outbox struct {
	alarms *notify.Alarms
	config *config.Config
	log    zerolog.Logger
	// read is all that the file for node_exporter shows.
	read func(context.Context) (*status.Status, error)
}

// newOutbox finds the addresses. Its error says which cannot be used; the others
// are told all the same.
func (a *app) newOutbox(c *config.Config, log zerolog.Logger) (outbox, error) {
	ping, pingErr := c.Alarms.PingURL(a.env)
	webhook, webhookErr := c.Alarms.WebhookURL(a.env)
	host, _ := os.Hostname() // shown if it is known
	return outbox{
		config: c, log: log,
		read: func(ctx context.Context) (*status.Status, error) { return readAll(ctx, c) },
		alarms: notify.New(notify.Options{
			DataDir: c.DataDir, PingURL: ping, WebhookURL: webhook, StaleAfter: c.Alarms.StaleAfter,
			Streams: streamsOf(c), Link: c.Alarms.Link, Host: host,
		}),
	}, errors.Join(pingErr, webhookErr)
}

// streamsOf names the streams that are synced.
func streamsOf(c *config.Config) (names []string) {
	for _, one := range []struct {
		name   string
		synced bool
	}{
		{run.Alerts, c.Streams.Alerts != nil},
		{run.Violations, c.Streams.Violations != nil},
		{run.PolicyStats, c.Streams.PolicyStats != nil},
	} {
		if one.synced {
			names = append(names, one.name)
		}
	}
	return names
}

// started tells that a run begins, while it does; wait waits until that is told.
func (o outbox) started(ctx context.Context, run journal.Run) (wait func()) {
	if o.alarms == nil { // of a demo
		return func() {}
	}
	told := make(chan struct{})
	go func() {
		defer crash.Exit()
		defer close(told)
		o.warn(o.alarms.Started(ctx, run), "the start of the run could not be told")
	}()
	return func() { <-told }
}

// ended tells how a run ended, once the journal knows it.
func (o outbox) ended(ctx context.Context, run journal.Run) {
	if o.alarms == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellingTime)
	defer cancel()
	o.warn(o.alarms.Ended(ctx, run), "the end of the run could not be told")
	if path := o.config.Metrics.Textfile; path != "" {
		now, err := o.read(ctx)
		if err == nil {
			err = metrics.WriteTextfile(path, now)
		}
		o.warn(err, "metrics.textfile could not be written")
	}
}

// look tells of streams that are stale.
func (o outbox) look(ctx context.Context, s *status.Status) {
	o.warn(o.alarms.Look(ctx, s), "stale streams could not be told")
}

func (o outbox) warn(err error, message string) {
	if err != nil {
		o.log.Warn().Err(err).Msg(message)
	}
}
