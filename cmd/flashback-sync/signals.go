package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// untilStopped ends with the first SIGINT or SIGTERM. A second one does not wait for
// what is under way.
func untilStopped() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer crash.Exit()
		stop := exit.Stopped{Signal: (<-signals).(syscall.Signal)}
		cancel(stop)
		<-signals
		os.Exit(stop.Code())
	}()
	return ctx
}

// ignoreBrokenPipes lets the process go on where nobody reads its output any more: a
// serve that was killed, a logger that died. Otherwise SIGPIPE would end it.
func ignoreBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
