package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/transform"
)

// statusOptions say what the status shows. The policy is that of a.policy; without it the
// queries whose ids are hidden count as not synced.
func statusOptions(c *config.Config, privacy *transform.Policy) status.Options {
	o := options(c, privacy)
	lookbacks := map[string]time.Duration{} // 0 for statistics
	for _, name := range o.Configured {
		lookbacks[name] = 0
	}
	for _, list := range o.Lists {
		lookbacks[list.Name()] = list.Lookback
	}
	return status.Options{
		Version: version, API: c.API.BaseURL, StaleAfter: c.Alarms.StaleAfter,
		Source: status.Source{
			DataDir: c.DataDir, DuckDB: o.PublishDuckDB, Names: c.Serve.ShowNames, Lookbacks: lookbacks, Wanted: streams.Wanted(privacy, o.Lists, o.Stats),
		},
	}
}

// notifier finds the addresses. Its error says which cannot be used; the notifier uses
// the others.
func (a *app) notifier(c *config.Config, log zerolog.Logger) (*notify.Notifier, error) {
	ping, pingErr := c.Alarms.PingURL(a.env)
	webhook, webhookErr := c.Alarms.WebhookURL(a.env)
	host, _ := os.Hostname() // shown if it is known
	options := notify.Options{
		DataDir: c.DataDir, PingURL: ping, WebhookURL: webhook,
		Streams: options(c, nil).Configured, Link: c.Alarms.Link, Host: host, Log: log,
	}
	if path := c.Metrics.Textfile; path != "" {
		options.WriteMetrics = func(now *status.Status) error { return metrics.WriteTextfile(path, now) }
	}
	return notify.New(options), errors.Join(pingErr, webhookErr)
}

// readStatus reads what is known about data_dir.
func (a *app) readStatus(ctx context.Context, c *config.Config) (*status.Status, error) {
	privacy, err := a.policy(ctx, c)
	if err != nil {
		return nil, err
	}
	return status.Read(ctx, statusOptions(c, privacy))
}
