package main

import (
	"errors"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/schema"
)

// statusOptions say what the status shows.
func statusOptions(c *config.Config) status.Options {
	run := options(c)
	return status.Options{
		Version: version, API: c.API.BaseURL, StaleAfter: c.Alarms.StaleAfter,
		Source: status.Source{
			DataDir: c.DataDir, DuckDB: c.Publish.DuckDB == "copy", Names: c.Serve.ShowNames,
			Lookbacks: lookbacks(c), Wanted: run.Wanted(),
		},
	}
}

// lookbacks are those of the streams that are synced, 0 for statistics.
func lookbacks(c *config.Config) map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, stream := range schema.Streams() {
		if s := c.Streams.Lists[stream.Name]; s != nil {
			all[stream.Name] = s.Lookback
		} else if c.Streams.Synced(stream.Name) {
			all[stream.Name] = 0
		}
	}
	return all
}

// notifier finds the addresses. Its error says which cannot be used; the notifier uses
// the others.
func (a *app) notifier(c *config.Config, log zerolog.Logger) (*notify.Notifier, error) {
	ping, pingErr := c.Alarms.PingURL(a.env)
	webhook, webhookErr := c.Alarms.WebhookURL(a.env)
	host, _ := os.Hostname() // shown if it is known
	options := notify.Options{
		DataDir: c.DataDir, PingURL: ping, WebhookURL: webhook, StaleAfter: c.Alarms.StaleAfter,
		Streams: streamNames(c), Link: c.Alarms.Link, Host: host, Log: log,
	}
	if path := c.Metrics.Textfile; path != "" {
		options.WriteMetrics = func(now *status.Status) error { return metrics.WriteTextfile(path, now) }
	}
	return notify.New(options), errors.Join(pingErr, webhookErr)
}
