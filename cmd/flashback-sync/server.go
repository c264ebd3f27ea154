package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/metrics"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/serve/web"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

const (
	// hung is how long the scheduler may give no sign of life.
	hung = time.Minute
	// lookEvery is how often serve looks for streams that became stale.
	lookEvery = time.Minute
	// refreshIdle and refreshBusy are how often a page renews itself.
	refreshIdle, refreshBusy = time.Minute, 5 * time.Second
)

// server is a serve that runs. It never opens DuckDB: runs, and reading what they
// published, are processes of their own.
type server struct {
	app        *app
	log        zerolog.Logger
	binary     string
	patience   time.Duration // with a run that shows no progress
	place      *place        // the data_dir that was there at the start
	holdings   *holdings
	supervisor *schedule.Supervisor
	beaten     atomic.Int64 // when the scheduler gave its last sign of life, in Unix nanoseconds

	mu     sync.Mutex
	config *config.Config
	outbox outbox
	lost   *journal.Run // the last run that the journal could not take, as on a disk that is read-only
}

func newServer(a *app, c *config.Config, place *place) (*server, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{app: a, log: a.logger(c.Log), binary: binary, place: place, patience: stalledAfter}
	jobs, out, err := s.prepare(c)
	if err != nil {
		return nil, err
	}
	noted, err := journal.Read(c.DataDir)
	if err != nil {
		return nil, err
	}
	s.config, s.outbox = c, out
	s.supervisor = schedule.New(jobs, schedule.Attempts(noted.Runs, time.Now()), schedule.Options{
		Run: s.work, Note: s.note, Beat: s.beat,
	})
	s.holdings = &holdings{
		now: time.Now,
		source: func() status.Source {
			c, _ := s.present()
			return holdingsOf(c)
		},
		child: func(ctx context.Context) *exec.Cmd {
			return exec.CommandContext(ctx, s.binary, "report", "--holdings") //nolint:gosec // ourselves
		},
	}
	return s, nil
}

// prepare makes what a configuration asks for, and changes nothing.
func (s *server) prepare(c *config.Config) ([]schedule.Job, outbox, error) {
	jobs, err := scheduled(c)
	if err != nil {
		return nil, outbox{}, err
	}
	out, err := s.app.newOutbox(c, s.log)
	if err != nil {
		return nil, outbox{}, usage(err)
	}
	out.read = s.status // and not with DuckDB, in this process
	return jobs, out, nil
}

func (s *server) present() (*config.Config, outbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config, s.outbox
}

// run serves until ctx ends. It reads the configuration again at every hangup.
func (s *server) run(ctx context.Context, listener net.Listener, password string, hangups <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c, _ := s.present()
	pages := &http.Server{
		Handler: s.handler(c, password), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: log.New(s.log, "", 0), BaseContext: func(net.Listener) context.Context { return ctx },
	}
	var others sync.WaitGroup
	others.Go(func() {
		defer crash.Exit()
		if err := pages.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	})
	others.Go(func() {
		defer crash.Exit()
		s.reloads(ctx, hangups)
	})
	others.Go(func() {
		defer crash.Exit()
		s.looks(ctx)
	})
	s.log.Info().Str("page", "http://"+listener.Addr().String()+"/").Msg("serving")
	s.notify(daemon.SdNotifyReady)
	s.beaten.Store(time.Now().UnixNano())
	s.supervisor.Run(ctx)
	s.notify(daemon.SdNotifyStopping)
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if pages.Shutdown(stopping) != nil {
		_ = pages.Close()
	}
	others.Wait()
	return context.Cause(ctx) // the signal, or why pages are no longer served
}

func (s *server) handler(c *config.Config, password string) http.Handler {
	host, _, _ := net.SplitHostPort(c.Serve.Listen)
	return web.Handler(web.Options{
		User: c.Serve.User, Password: password, Hosts: []string{host},
		Status: s.status, Page: writePage, Policy: page.Policy(), Alive: s.alive,
		Crashed: func(trace string) { s.log.Error().Str("trace", trace).Msg("a request failed with an internal error") },
		Metrics: metrics.Handler(func() *status.Status {
			now, err := s.status(context.Background())
			if err != nil {
				s.log.Error().Err(err).Msg("metrics cannot be gathered")
				return nil
			}
			return now
		}),
	})
}

func writePage(w io.Writer, s *status.Status, form web.Form) error {
	o := page.Options{Pause: web.PausedAddress, Resume: web.LiveAddress, Report: web.FileAddress, Refresh: refreshIdle}
	if s.Progress.Alive(s.At) {
		o.Refresh = refreshBusy
	}
	switch form {
	case web.Paused:
		o.Refresh = 0
	case web.File:
		o = page.Options{Static: true}
	case web.Live:
	}
	return page.Write(w, s, o)
}

// status is all there is to show now.
func (s *server) status(ctx context.Context) (*status.Status, error) {
	c, _ := s.present()
	now, err := readRecords(c)
	if err != nil {
		return nil, err
	}
	now.Jobs = s.jobs()
	now.Runs = s.withLost(now.Runs)
	if err := s.place.check(); err != nil {
		now.HoldingsError = err.Error()
		return now, nil
	}
	now.Holdings, err = s.holdings.read(ctx)
	if err != nil {
		now.HoldingsError = err.Error()
	}
	return now, nil
}

// withLost adds the run that the journal could not take, as long as it is the last:
// or else the page would say that all is well while every run fails.
func (s *server) withLost(runs []journal.Run) []journal.Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == nil || len(runs) > 0 && !runs[0].FinishedAt.Before(s.lost.FinishedAt) {
		return runs
	}
	return slices.Insert(runs, 0, *s.lost)
}

// beat is called by the scheduler while it does its work.
func (s *server) beat() {
	s.beaten.Store(time.Now().UnixNano())
	s.notify(daemon.SdNotifyWatchdog)
}

var errHung = errors.New("the scheduler gives no sign of life")

func (s *server) alive() error {
	if last := s.beaten.Load(); last != 0 && time.Since(time.Unix(0, last)) > hung {
		return errHung
	}
	return nil
}

// notify tells systemd, where it started us.
func (s *server) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Debug().Err(err).Msg("systemd cannot be told")
	}
}

// looks tells of streams that became stale, and removes what harms readers.
func (s *server) looks(ctx context.Context) {
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		s.removeForeignLog()
		now, err := s.status(ctx)
		if err != nil {
			s.log.Error().Err(err).Msg("the state of data_dir cannot be read")
			continue
		}
		_, out := s.present()
		out.look(ctx, now)
	}
}

// reloads reads the configuration again when it is told to.
func (s *server) reloads(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		if err := s.reload(); err != nil {
			s.log.Error().Err(err).Msg("reload of the configuration failed; schedule and page stay as they are, and runs fail until the file is correct")
			continue
		}
		s.log.Info().Msg("the configuration was reloaded")
	}
}

func (s *server) reload() error {
	s.notify(daemon.SdNotifyReloading)
	defer s.notify(daemon.SdNotifyReady)
	c, err := s.app.load()
	if err != nil {
		return err
	}
	old, _ := s.present()
	if c.DataDir != old.DataDir || c.Serve.Listen != old.Serve.Listen {
		s.log.Warn().Msg("data_dir and serve.listen change with a restart only")
		c.DataDir, c.Serve.Listen = old.DataDir, old.Serve.Listen
	}
	jobs, out, err := s.prepare(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.config, s.outbox = c, out
	s.mu.Unlock()
	s.supervisor.Reload(jobs)
	return nil
}
