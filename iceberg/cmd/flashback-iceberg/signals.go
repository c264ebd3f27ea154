package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopped is the cause of a context that a signal has ended.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return "stopped by " + s.signal.String() }

// code is the exit code that shells know: 130 or 143.
func (s stopped) code() int { return 128 + int(s.signal) }

// untilStopped is a context that ends with the first SIGINT or SIGTERM. The second one ends
// the process as usual.
func untilStopped() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		received := <-signals
		signal.Stop(signals)
		if number, ok := received.(syscall.Signal); ok {
			cancel(stopped{number})
		}
	}()
	return ctx
}
