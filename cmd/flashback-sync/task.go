package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/record"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/serve"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

// task is what a command needs that requests data from the source.
type task struct {
	app      *app
	config   *config.Config
	job      string // of the schedule, or ""
	options  run.Options
	log      zerolog.Logger
	source   run.Source
	recorder *record.Recorder // nil if the run is not recorded
}

// task reads the configuration and narrows it. The caller closes its source.
func (a *app) task(ctx context.Context, scope *scopeFlags, job string) (*task, error) {
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	privacy, err := a.policy(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &task{app: a, config: c, job: job, options: options(c, privacy)}
	if given, _ := a.env(serve.RunIDKey); job != "" && uuid.Validate(given) == nil {
		t.options.RunID = given
	}
	log := a.logger(c.Log).With().Str("run_id", t.options.RunID)
	if job != "" {
		log = log.Str("job", job)
	}
	t.log = log.Logger()
	if err := scope.apply(&t.options); err != nil {
		return nil, err
	}
	t.source, err = a.source(c, t.log, retries, func(sent api.Attempt) { t.recorder.Sent(sent) })
	return t, err
}

// recorded does the work of a command, shows its progress and records how it ended.
func (t *task) recorded(ctx context.Context, command string, work func() error) error {
	if err := refuseRoot(t.options.DataDir); err != nil {
		return err
	}
	ignoreBrokenPipes()
	if t.config.Traces.Endpoint != "" {
		t.log.Warn().Msg("traces.endpoint has no effect: this release sends no traces; remove the key")
	}
	notifier, err := t.app.notifier(t.config, t.log)
	if err != nil {
		t.log.Warn().Err(err).Msg("the run goes on, and not everybody will be notified")
	}
	t.recorder = record.New(record.Options{
		DataDir: t.options.DataDir, Client: t.source.Client, Notifier: notifier, Log: t.log,
		Run: journal.Run{RunID: t.options.RunID, Command: command, Job: t.job, PID: os.Getpid(), StartedAt: time.Now().UTC(), Version: version},
		Status: func(ctx context.Context) (*status.Status, error) {
			return status.Read(ctx, statusOptions(t.config, t.options.Privacy))
		},
	})
	err = t.watched(work)
	failure := exit.Reported(ctx, err)
	t.recorder.End(ctx, exit.Code(ctx, failure), failure, exit.Hint(failure))
	return err
}

// watched does the work and shows its progress.
func (t *task) watched(work func() error) error {
	view := terminal.NewProgress(t.app.stderr, isTerminal(t.app.stderr), t.log)
	defer view.Close()
	t.app.warned = func(message string) { view.Observe(run.Event{Kind: run.Warned, Message: message}) }
	t.options.Observe = func(e run.Event) {
		view.Observe(e)
		t.recorder.Observe(e)
	}
	return work()
}

// refuseRoot refuses to write as root in a data_dir of somebody else: the files would
// be root's, and the runs of its owner would end with 6 from then on.
func refuseRoot(dataDir string) error {
	owner, foreign := foreignOwner(os.Geteuid(), dataDir)
	if !foreign {
		return nil
	}
	name := exit.UserName(owner)
	return exit.WithHint(
		exit.Usage(fmt.Errorf("data_dir %s belongs to %s, and this is root, whose files %s could not replace", dataDir, name, name)),
		"run it as that user: sudo -u '"+name+"' flashback-sync, with the same variables (--preserve-env)",
	)
}

// foreignOwner is who owns a data_dir, or what runs have made in it, if that is not
// root and the process is.
func foreignOwner(euid int, dataDir string) (uid int, foreign bool) {
	if euid != 0 {
		return 0, false
	}
	for _, path := range []string{dataDir, filepath.Join(dataDir, "state")} {
		if uid, known := exit.OwnerOf(path); known && uid != 0 {
			return uid, true
		}
	}
	return 0, false
}
