package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/serve/web"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
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
			if probe {
				return askHealth(cmd.Context(), c.Serve.Listen)
			}
			return a.serve(cmd.Context(), c)
		},
	}
	command.Flags().BoolVar(&probe, "probe", false, "ask the serve that runs whether it is healthy, and exit with 0 or 1")
	return command
}

func (a *app) serve(ctx context.Context, c *config.Config) error {
	if err := a.refuseRoot(c.DataDir); err != nil {
		return err
	}
	unheard()
	hangups := make(chan os.Signal, 1) // from now to the end, or else an early or late SIGHUP would end us
	signal.Notify(hangups, syscall.SIGHUP)
	password, err := pagePassword(a, c.Serve)
	if err != nil {
		return err
	}
	place, err := lockServe(c.DataDir)
	if err != nil {
		return err
	}
	defer place.unlock()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Serve.Listen)
	if err != nil {
		return &hinted{usage(fmt.Errorf("serve.listen: %w", err)), "is another serve running? set serve.listen to another port"}
	}
	s, err := newServer(a, c, place)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return s.run(ctx, listener, password, hangups)
}

// pagePassword refuses to show the page to a network without one.
func pagePassword(a *app, s config.Serve) (string, error) {
	password, err := s.Password(a.env)
	if err != nil {
		return "", usage(err)
	}
	if password == "" && !web.Loopback(s.Listen) {
		return "", &hinted{
			usage(fmt.Errorf("serve.listen: %s can be reached from other machines, and no password is set", s.Listen)),
			fmt.Sprintf("set the variable %s or serve.password_file, or listen on 127.0.0.1", s.PasswordEnv),
		}
	}
	return password, nil
}

// place is the data_dir that serve started with, known by the lock file in it.
type place struct {
	dataDir, path string
	file          fs.FileInfo
	unlock        func()
}

// check reports whether data_dir is still the one that serve started with. A volume
// that was unmounted leaves an empty folder, where a run would begin anew.
func (p *place) check() error {
	if now, err := os.Stat(p.path); err != nil || !os.SameFile(p.file, now) {
		return fmt.Errorf("data_dir %s is not the folder that serve started with: its volume may be unmounted, or it was replaced", p.dataDir)
	}
	return nil
}

// lockServe keeps a second scheduler from the same folder. Runs by hand and by
// cron have a lock of their own.
func lockServe(dataDir string) (*place, error) {
	state := filepath.Join(dataDir, "state")
	if err := os.MkdirAll(state, 0o750); err != nil {
		return nil, &duckdb.StorageError{Doing: "make data_dir", Err: err}
	}
	path, err := durable.Place(dataDir, "state/serve.lock")
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "lock data_dir", Err: err}
	}
	lock := flock.New(path, flock.SetPermissions(0o640))
	held, err := lock.TryLock()
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "lock data_dir", Err: err}
	}
	if !held {
		return nil, &hinted{fmt.Errorf("%w: a serve for %s", load.ErrLocked, dataDir), "one is enough; stop it first, or give this one another data_dir"}
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, errors.Join(&duckdb.StorageError{Doing: "lock data_dir", Err: err}, lock.Unlock())
	}
	return &place{dataDir: dataDir, path: path, file: file, unlock: func() { _ = lock.Unlock() }}, nil // the process ends
}

const probeTime = 5 * time.Second

// askHealth asks /healthz of the serve that listens there.
func askHealth(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return usage(err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // no name has to be known, as in an empty container
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("serve does not answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("serve is not healthy: %s", answer.Status)
	}
	return nil
}
