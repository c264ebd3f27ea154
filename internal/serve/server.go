// Package serve runs the schedule and shows how runs went. Each run is a child
// process, and so is reading what is published: serve itself never opens DuckDB, so
// neither a run nor a damaged file can take it down.
package serve

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

const (
	// hung is how long the scheduler may give no sign of life.
	hung = time.Minute
	// checkEvery is how often serve checks for stale streams and foreign logs.
	checkEvery = time.Minute
)

// notifier reports how runs went to people and monitors. It logs what fails.
type notifier interface {
	// Ended reports a run that has ended. It calls read for what the metrics file shows.
	Ended(ctx context.Context, run journal.Run, read func(context.Context) (*status.Status, error))
	// Check reports streams that became stale, or fresh again.
	Check(ctx context.Context, now *status.Status)
}

// Settings are those of serve in the configuration. A reload replaces all of them.
type Settings struct {
	Jobs     []schedule.Job
	Status   status.Options
	Notifier notifier
	// PlainLogs passes on what runs write to stderr as it is, for a person to read.
	// Otherwise lines that are not JSON are logged.
	PlainLogs bool
}

// Options are what a Server starts with.
type Options struct {
	Settings
	Reload         func() (Settings, error) // reads the configuration again
	Place          *Place                   // where the data_dir was at the start
	User, Password string                   // of the page
	Host           string                   // the host name or address that serve listens on
	Version        string
	NewRunID       func() string
	Log            zerolog.Logger
	Stderr         io.Writer // gets what runs write to theirs
}

// Server is a serve that runs. Make it with New, call Run once.
type Server struct {
	options    Options
	log        zerolog.Logger
	program    string
	patience   time.Duration // with a run that shows no progress
	published  *published
	supervisor *schedule.Supervisor
	ended      chan struct{} // has a value after a run has ended
	lastBeat   atomic.Int64  // when the scheduler gave its last sign of life, in Unix nanoseconds

	mu       sync.Mutex
	settings Settings
	// unrecorded is the last run that the journal could not take, as on a read-only disk.
	unrecorded *journal.Run
}

// New starts nothing.
func New(o Options) (*Server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	recorded, err := journal.Read(o.Place.dataDir)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, log: o.Log, program: program, patience: stalledAfter, settings: o.Settings, ended: make(chan struct{}, 1)}
	s.supervisor = schedule.New(o.Jobs, schedule.Attempts(recorded.Runs, time.Now()), schedule.Options{
		Run: s.work, Skipped: s.recordSkipped, Beat: s.beat,
	})
	s.published = &published{
		now:    time.Now,
		source: func() status.Source { return s.present().Status.Source },
		child:  s.reader,
	}
	return s, nil
}

func (s *Server) present() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Run serves until ctx ends. It reloads the configuration at every hangup.
func (s *Server) Run(ctx context.Context, listener net.Listener, hangups <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: log.New(s.log, "", 0), BaseContext: func(net.Listener) context.Context { return ctx },
	}
	var others sync.WaitGroup
	start := func(work func()) {
		others.Go(func() {
			defer crash.Exit()
			work()
		})
	}
	start(func() {
		if err := pages.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	})
	start(func() { s.reloadAtHangups(ctx, hangups) })
	start(func() { s.checkRegularly(ctx) })
	s.log.Info().Str("page", "http://"+listener.Addr().String()+"/").Msg("serving")
	s.notifySystemd(daemon.SdNotifyReady)
	s.lastBeat.Store(time.Now().UnixNano())
	s.supervisor.Run(ctx)
	s.notifySystemd(daemon.SdNotifyStopping)
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if pages.Shutdown(stopping) != nil {
		_ = pages.Close()
	}
	others.Wait()
	return context.Cause(ctx) // the signal, or why pages are no longer served
}

// beat is called by the scheduler while it does its work.
func (s *Server) beat() {
	s.lastBeat.Store(time.Now().UnixNano())
	s.notifySystemd(daemon.SdNotifyWatchdog)
}

var errHung = errors.New("the scheduler gives no sign of life")

func (s *Server) alive() error {
	if last := s.lastBeat.Load(); last != 0 && time.Since(time.Unix(0, last)) > hung {
		return errHung
	}
	return nil
}

// notifySystemd sends a state to systemd, if it started us.
func (s *Server) notifySystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Debug().Err(err).Msg("systemd cannot be notified")
	}
}

// checkRegularly reports streams that became stale or fresh, and removes foreign logs: every
// minute, and after each run.
func (s *Server) checkRegularly(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.ended:
		}
		s.removeForeignLog()
		now, err := s.status(ctx)
		if err != nil {
			s.log.Error().Err(err).Msg("the status of data_dir cannot be read")
			continue
		}
		s.present().Notifier.Check(ctx, now)
	}
}

func (s *Server) reloadAtHangups(ctx context.Context, hangups <-chan os.Signal) {
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

// reload takes a new configuration as a whole or not at all.
func (s *Server) reload() error {
	s.notifySystemd(daemon.SdNotifyReloading)
	defer s.notifySystemd(daemon.SdNotifyReady)
	settings, err := s.options.Reload()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.settings = settings
	s.mu.Unlock()
	s.supervisor.Reload(settings.Jobs)
	return nil
}

// removeForeignLog removes the log of a program that opened the published file for
// writing: every reader would see what it wrote. A run removes it too, but the next
// one may be hours away.
func (s *Server) removeForeignLog() {
	removed, err := snapshot.RemoveLog(filepath.Join(s.options.Place.dataDir, snapshot.Name))
	switch {
	case err != nil:
		s.log.Error().Err(err).Msg(snapshot.LogName + " cannot be removed: readers may see what another program wrote")
	case removed:
		s.log.Warn().Msg(snapshot.LogName + " was removed: a program opened " + snapshot.Name + " for writing; open it read-only")
	}
}
