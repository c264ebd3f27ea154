package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/notify"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/serve"
	"github.com/flashback-sync/flashback-sync/schema"
)

// retries is how often a request that failed temporarily is sent again.
const retries = 5

// source makes what the configuration says to read from.
func (a *app) source(c *config.Config, log zerolog.Logger, retries int, observe func(api.Attempt)) (run.Source, error) {
	for _, warning := range c.API.Warnings() {
		log.Warn().Msg(warning)
	}
	client, err := api.New(api.Options{
		BaseURL:           c.API.BaseURL,
		Token:             c.API.TokenSource(a.env),
		UserAgent:         "flashback-sync/" + version,
		MaxConcurrency:    c.API.MaxConcurrency,
		RequestsPerSecond: c.API.RequestsPerSecond,
		Timeout:           c.API.Timeout,
		Retries:           retries,
		Warn:              func(message string) { a.warn(log, message) },
		Observe:           observe,
		ShowAnswer:        a.answerShown(),
	})
	return run.NewSource(client), usage(err)
}

// answerShown prints how an answer begins that cannot be used, if a person asked for
// it: to this process's stderr and nowhere else, since it may be personal.
func (a *app) answerShown() func(string) {
	if !a.showAnswers {
		return nil
	}
	return func(text string) { fmt.Fprintln(a.stderr, text) }
}

// showAnswersFlag adds --show-answers.
func (a *app) showAnswersFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&a.showAnswers, "show-answers", false, "print the beginning of answers that cannot be used to stderr; they may hold personal data")
}

// task is what a command needs that requests data from the source.
type task struct {
	app     *app
	config  *config.Config // nil in a demo
	options run.Options
	log     zerolog.Logger
	source  run.Source

	notifier *notify.Notifier // nil in a demo
	recorder *recorder        // of the run under way; nil if it is not recorded
}

// task reads the configuration and narrows it. The caller closes its source.
func (a *app) task(scope *scopeFlags, job string) (*task, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	t := &task{app: a, config: c, options: options(c)}
	if given, _ := a.env(serve.RunIDKey); job != "" && uuid.Validate(given) == nil {
		t.options.RunID = given
	}
	log := a.logger(c.Log).With().Str("run_id", t.options.RunID)
	if job != "" {
		log = log.Str("job", job)
	}
	t.log = log.Logger()
	if t.notifier, err = a.notifier(c, t.log); err != nil {
		t.log.Warn().Err(err).Msg("the run goes on, and not everybody will be notified")
	}
	if err := scope.apply(&t.options); err != nil {
		return nil, err
	}
	t.source, err = a.source(c, t.log, retries, t.sent)
	return t, err
}

// sent is called for every request of the task.
func (t *task) sent(attempt api.Attempt) {
	if t.recorder != nil {
		t.recorder.sent(attempt)
	}
}

// watch shows the task's progress until it is stopped.
func (t *task) watch() (stop func()) {
	view := t.app.newView(t.log)
	t.app.view, t.options.Observe = view, view.observe
	if record := t.recorder; record != nil {
		t.options.Observe = func(e run.Event) {
			view.observe(e)
			record.observe(e)
		}
	}
	return func() {
		view.close()
		t.app.view = nil
	}
}

// options turns the configuration into what a run does.
func options(c *config.Config) run.Options {
	o := run.Options{
		RunID:         newRunID(),
		NewRunID:      newRunID,
		Version:       version,
		DataDir:       c.DataDir,
		Source:        c.API.BaseURL,
		Verify:        audit.VerifyTotals,
		VerifyEvery:   c.VerifyEvery,
		KeepRuns:      c.Retention.Runs,
		KeepRejects:   c.Retention.Rejects,
		PublishDuckDB: c.Publish.DuckDB == "copy",
		Compression:   c.Publish.Parquet.Compression,
	}
	for _, stream := range schema.Streams() {
		if s := c.Streams.Lists[stream.Name]; s != nil {
			o.Lists = append(o.Lists, list(stream.Endpoint, s))
		}
		if s := c.Streams.Series[stream.Name]; s != nil {
			o.Stats = statistics(s)
		}
		if c.Streams.Lists[stream.Name] != nil || c.Streams.Series[stream.Name] != nil {
			o.Configured = append(o.Configured, stream.Name)
		}
	}
	return o
}

func list(endpoint string, s *config.ListStream) run.List {
	f := s.Filter
	return run.List{
		Start: s.Start, Lookback: s.Lookback, Optional: s.Optional, Policies: s.Policies,
		Query: api.Query{
			Endpoint: endpoint, WorkspaceID: f.WorkspaceID, RepoID: f.RepoID, PolicyID: f.PolicyID,
			LLMType: f.LLMType, LLMModel: f.LLMModel, Host: f.Host, Severity: f.Severity, Block: f.Block,
		},
	}
}

// seriesStream is the stream of statistics.
func seriesStream() *schema.Stream {
	streams := schema.Streams()
	return streams[slices.IndexFunc(streams, func(s *schema.Stream) bool { return s.Kind == schema.Series })]
}

func statistics(s *config.StatsStream) *run.Stats {
	stats := &run.Stats{Stream: seriesStream(), Start: s.Start, Bucket: s.Bucket, RuleIDs: s.RuleIDs, APIKeyIDs: s.APIKeyIDs}
	for _, scope := range s.Scopes {
		out := run.Scope{Scope: scope.Scope}
		for _, id := range scope.IDs {
			if id == "auto" {
				out.Auto = true
			} else {
				out.IDs = append(out.IDs, id)
			}
		}
		stats.Scopes = append(stats.Scopes, out)
	}
	return stats
}

func newRunID() string {
	id, err := uuid.NewV7()
	if err != nil { // the system's randomness failed: nothing else would work either
		return uuid.NewString()
	}
	return id.String()
}

// sync runs once and shows it, unless the options have someone else watch.
func (t *task) sync(ctx context.Context, o run.Options) (*run.Summary, error) {
	if o.Observe == nil {
		defer t.watch()()
		o.Observe = t.options.Observe
	}
	return run.Run(ctx, o, t.source)
}

// warn shows a warning of the client: among the moving bars, or as a log line.
func (a *app) warn(log zerolog.Logger, message string) {
	if a.view != nil {
		a.view.observe(run.Event{Kind: run.Warned, Message: message})
		return
	}
	log.Warn().Msg(message)
}
