package apisim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// Start serves on a free port of the loopback interface. stop closes every
// connection, hanging ones too, and returns when nothing runs any more; it may
// be called more than once. Start panics if there is no port to be had.
func (s *Sim) Start() (url string, stop func()) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("apisim: listen: %v", err))
	}
	stopServing := s.Serve(listener)
	return "http://" + listener.Addr().String(), stopServing
}

// Serve serves on a listener of the caller's, which it takes over; see [Sim.Start].
func (s *Sim) Serve(listener net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
		// A connection is new in the goroutine of Serve and closed in its own,
		// after its last handler returned (no handler here hijacks one).
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				running.Add(1)
			case http.StateClosed, http.StateHijacked:
				running.Done()
			}
		},
	}
	running.Go(func() {
		defer crash.Exit()
		_ = server.Serve(listener) // always ends with ErrServerClosed
	})
	return sync.OnceFunc(func() {
		cancel()
		_ = server.Close()
		running.Wait()
	})
}

// connKey finds a request's connection in its context.
type connKey struct{}
