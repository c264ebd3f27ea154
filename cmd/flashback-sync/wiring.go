package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/internal/views"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// retries is how often a request that failed temporarily is sent again.
const retries = 5

// source makes what the configuration says to read from.
func (a *app) source(c *config.Config, log zerolog.Logger, retries int, observe func(api.Attempt)) (run.Source, error) {
	for _, warning := range c.API.Warnings() {
		log.Warn().Msg(warning)
	}
	var showAnswer func(string) // to this process's stderr and nowhere else, since it may be personal
	if a.showAnswers {
		showAnswer = func(text string) { fmt.Fprintln(a.stderr, text) }
	}
	client, err := api.New(api.Options{
		BaseURL:           c.API.BaseURL,
		Token:             c.API.TokenSource(a.env),
		UserAgent:         "flashback-sync/" + version,
		MaxConcurrency:    c.API.MaxConcurrency,
		RequestsPerSecond: c.API.RequestsPerSecond,
		Timeout:           c.API.Timeout,
		Retries:           retries,
		Warn: func(message string) {
			if a.warned != nil {
				a.warned(message)
			} else {
				log.Warn().Msg(message)
			}
		},
		Observe:    observe,
		ShowAnswer: showAnswer,
	})
	return run.NewSource(client), exit.Usage(err)
}

// showAnswersFlag adds --show-answers.
func (a *app) showAnswersFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&a.showAnswers, "show-answers", false, "print the beginning of answers that cannot be used to stderr; they may hold personal data")
}

// policy is the privacy policy that the configuration says. Its key is read anew.
func (a *app) policy(ctx context.Context, c *config.Config) (*transform.Policy, error) {
	key, err := c.Privacy.Key(ctx, a.env)
	if err != nil {
		return nil, exit.Usage(err)
	}
	policy, err := transform.NewPolicy(c.Privacy.Treatments(), key)
	for _, view := range c.Publish.Views {
		if err == nil {
			_, err = policy.Another(view.Treatments())
		}
	}
	if err != nil {
		return nil, exit.WithHint(
			exit.Usage(fmt.Errorf("privacy: %w", err)),
			fmt.Sprintf("put a random key, such as openssl rand -hex 32 prints, into the variable %s, or name a privacy.key_file or key_command; keep a copy, for nothing else reads the hashes", cmp.Or(c.Privacy.KeyEnv, "of privacy.key_env")),
		)
	}
	return policy, nil
}

// options turns the configuration into what a run does.
func options(c *config.Config, privacy *transform.Policy) run.Options {
	o := run.Options{
		Privacy:       privacy,
		RunID:         newRunID(),
		NewRunID:      newRunID,
		Version:       version,
		DataDir:       c.DataDir,
		Source:        c.API.BaseURL,
		Verify:        audit.VerifyTotals,
		VerifyEvery:   c.VerifyEvery,
		KeepRuns:      c.Retention.Runs,
		KeepRejects:   c.Retention.Rejects,
		Keep:          map[string]time.Duration{},
		PublishDuckDB: c.Publish.DuckDB == "copy",
		Compression:   c.Publish.Parquet.Compression,
	}
	for stream, keep := range c.Retention.Streams {
		o.Keep[stream] = *keep
	}
	for _, view := range c.Publish.Views {
		if policy, err := privacy.Another(view.Treatments()); err == nil { // a.policy has checked it
			o.Views = append(o.Views, views.View{Name: view.Name, Tables: view.Names(), Policy: policy})
		}
	}
	for _, stream := range schema.Streams() {
		if s := c.Streams.Lists[stream.Name]; s != nil {
			o.Lists = append(o.Lists, list(stream.Endpoint, s))
		}
		if s := c.Streams.Series[stream.Name]; s != nil {
			o.Stats = statistics(stream, s)
		}
		if c.Streams.Synced(stream.Name) {
			o.Configured = append(o.Configured, stream.Name)
		}
	}
	return o
}

func list(endpoint string, s *config.ListStream) streams.List {
	f := s.Filter
	return streams.List{
		Start: s.Start, Lookback: s.Lookback, Optional: s.Optional, Policies: s.Policies,
		Query: api.Query{
			Endpoint: endpoint, WorkspaceID: f.WorkspaceID, RepoID: f.RepoID, PolicyID: f.PolicyID,
			LLMType: f.LLMType, LLMModel: f.LLMModel, Host: f.Host, Severity: f.Severity, Block: f.Block,
		},
	}
}

func statistics(stream *schema.Stream, s *config.StatsStream) *streams.Stats {
	stats := &streams.Stats{Stream: stream, Start: s.Start, Bucket: s.Bucket, RuleIDs: s.RuleIDs, APIKeyIDs: s.APIKeyIDs}
	for _, scope := range s.Scopes {
		named := slices.DeleteFunc(slices.Clone(scope.IDs), func(id string) bool { return id == "auto" })
		stats.Scopes = append(stats.Scopes, streams.Scope{Scope: scope.Scope, IDs: named, Auto: len(named) < len(scope.IDs)})
	}
	return stats
}

func newRunID() string { return uuid.Must(uuid.NewV7()).String() }

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
