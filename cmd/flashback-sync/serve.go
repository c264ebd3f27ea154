package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/serve"
	"github.com/flashback-sync/flashback-sync/internal/serve/web"
	"github.com/flashback-sync/flashback-sync/load"
)

func (a *app) serveCommand() *cobra.Command {
	var probe bool
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the schedule and the status page",
		Long: `Runs what the configuration schedules, each run as a process of its own, and serves
the status page, /metrics, /healthz and /readyz.

SIGHUP reads the configuration again. SIGTERM and SIGINT stop it: a run under way
ends cleanly, and the next one goes on from there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			if !probe {
				return a.serve(cmd.Context(), c)
			}
			host, port, err := net.SplitHostPort(c.Serve.Listen)
			if err != nil {
				return exit.Usage(err)
			}
			return web.Probe(cmd.Context(), host, port)
		},
	}
	command.Flags().BoolVar(&probe, "probe", false, "check whether the serve that runs is healthy, and exit with 0 or 1")
	return command
}

func (a *app) serve(ctx context.Context, c *config.Config) error {
	if err := refuseRoot(c.DataDir); err != nil {
		return err
	}
	ignoreBrokenPipes()
	hangups := make(chan os.Signal, 1) // from now to the end, otherwise an early or late SIGHUP would end us
	signal.Notify(hangups, syscall.SIGHUP)
	password, err := pagePassword(a, c.Serve)
	if err != nil {
		return err
	}
	place, err := serve.Lock(c.DataDir)
	if errors.Is(err, load.ErrLocked) {
		return exit.WithHint(err, "one is enough; stop it first, or give this one another data_dir")
	}
	if err != nil {
		return err
	}
	defer place.Unlock()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Serve.Listen)
	if err != nil {
		return exit.WithHint(exit.Usage(fmt.Errorf("serve.listen: %w", err)), "is another serve running? set serve.listen to another port")
	}
	host, _, _ := net.SplitHostPort(c.Serve.Listen)
	log := a.logger(c.Log)
	settings, err := a.serveSettings(ctx, c, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s, err := serve.New(serve.Options{
		Settings: settings, Reload: func() (serve.Settings, error) { return a.reload(ctx, c, log) },
		Place: place, User: c.Serve.User, Password: password, Host: host,
		Version: version, NewRunID: newRunID, Log: log, Stderr: a.stderr,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return s.Run(ctx, listener, hangups)
}

// serveSettings are what a configuration asks of serve.
func (a *app) serveSettings(ctx context.Context, c *config.Config, log zerolog.Logger) (serve.Settings, error) {
	jobs, err := a.jobs(c)
	if err != nil {
		return serve.Settings{}, err
	}
	privacy, err := a.policy(ctx, c)
	if err != nil {
		return serve.Settings{}, err
	}
	notifier, err := a.notifier(c, log)
	return serve.Settings{Jobs: jobs, Status: statusOptions(c, privacy), Notifier: notifier, PlainLogs: a.forPeople(c.Log)}, exit.Usage(err)
}

// reload reads the settings again. What only counts from the next start stays as it was.
func (a *app) reload(ctx context.Context, first *config.Config, log zerolog.Logger) (serve.Settings, error) {
	c, err := a.load()
	if err != nil {
		return serve.Settings{}, err
	}
	if c.DataDir != first.DataDir || c.Serve.Listen != first.Serve.Listen {
		log.Warn().Msg("data_dir and serve.listen change with a restart only")
		c.DataDir = first.DataDir
	}
	return a.serveSettings(ctx, c, log)
}

// pagePassword refuses to show the page to a network without one.
func pagePassword(a *app, s config.Serve) (string, error) {
	password, err := s.Password(a.env)
	if err != nil {
		return "", exit.Usage(err)
	}
	if password == "" && !web.Loopback(s.Listen) {
		return "", exit.WithHint(
			exit.Usage(fmt.Errorf("serve.listen: %s can be reached from other machines, and no password is set", s.Listen)),
			fmt.Sprintf("set the variable %s or serve.password_file, or listen on 127.0.0.1", s.PasswordEnv),
		)
	}
	return password, nil
}
