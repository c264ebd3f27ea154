package web

import (
	"context"
	"net/http"
)

const (
	// mostPages and mostStrangers are answered at once, slow readers included; more
	// are told to come again. Who needs no password keeps nobody out who has it.
	mostPages, mostStrangers = 64, 16
	// mostWork is how many answers are made at once. Each takes some megabytes and a
	// core, and the scheduler is in the same process.
	mostWork = 2
)

// gate bounds what requests cost, however many come.
type gate struct{ inside, working chan struct{} }

func newGate(most int) gate {
	return gate{inside: make(chan struct{}, most), working: make(chan struct{}, mostWork)}
}

// limit lets as many in as the gate is wide.
func (g gate) limit(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case g.inside <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at once: come again in a second", http.StatusServiceUnavailable)
			return
		}
		defer func() { <-g.inside }()
		answer(w, r)
	})
}

// work does it when it is its turn, unless nobody waits for it any more.
func (g gate) work(ctx context.Context, do func() error) error {
	select {
	case g.working <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.working }()
	return do()
}
