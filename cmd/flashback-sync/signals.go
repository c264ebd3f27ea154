package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/serve/schedule"
)

// stopped is the cause of a context that a signal cancelled.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped by " + schedule.SignalName(s.signal) }
func (s stopped) code() int     { return 128 + int(s.signal) }

// untilStopped ends with the first SIGINT or SIGTERM. A second one does not wait for
// what is under way.
func untilStopped() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer crash.Exit()
		stop := stopped{(<-signals).(syscall.Signal)}
		cancel(stop)
		<-signals
		os.Exit(stop.code())
	}()
	return ctx
}

// reported is the error to report: of a run that a signal stopped it is the signal, and
// not what failed because of it.
func reported(ctx context.Context, err error) error {
	var stop stopped
	if err != nil && errors.As(context.Cause(ctx), &stop) {
		return stop
	}
	return err
}

// ignoreBrokenPipes lets the process go on where nobody reads its output any more: a
// serve that was killed, a logger that died. Otherwise SIGPIPE would end it.
func ignoreBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
