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
)

// statusOptions say what the status shows.
func statusOptions(c *config.Config) status.Options {
	o := options(c)
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
			DataDir: c.DataDir, DuckDB: o.PublishDuckDB, Names: c.Serve.ShowNames, Lookbacks: lookbacks, Wanted: o.Wanted(),
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
		Streams: options(c).Configured, Link: c.Alarms.Link, Host: host, Log: log,
	}
	if path := c.Metrics.Textfile; path != "" {
		options.WriteMetrics = func(now *status.Status) error { return metrics.WriteTextfile(path, now) }
	}
	return notify.New(options), errors.Join(pingErr, webhookErr)
}
