package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// growth is the pause before the limit grows by one, after any change of it.
const growth = time.Second

// limiter decides when a request may be sent. The requests under way are at most limit:
// it starts at the maximum, halves when the source refuses for overload, and grows by one
// a second while it answers. While the source wants no requests, none is sent.
type limiter struct {
	rate *rate.Limiter

	mu      sync.Mutex
	maximum int
	limit   int
	busy    int
	freed   chan struct{} // closed and replaced when a slot may be free
	halved  time.Time
	changed time.Time
	quiet   time.Time // until when the source wants no requests, from whichever worker
}

func newLimiter(maximum int, perSecond rate.Limit) *limiter {
	return &limiter{rate: rate.NewLimiter(perSecond, 1), maximum: maximum, limit: maximum, freed: make(chan struct{})}
}

// acquire waits for a slot, for the rate, and for the end of the source's pause. The
// caller has a slot if there is no error.
func (l *limiter) acquire(ctx context.Context) error {
	if err := l.takeSlot(ctx); err != nil {
		return err
	}
	for {
		err := sleep(ctx, l.pause())
		if err == nil {
			err = l.rate.Wait(ctx)
		}
		if err != nil {
			l.release()
			return err
		}
		if l.pause() <= 0 {
			return nil
		}
	}
}

func (l *limiter) takeSlot(ctx context.Context) error {
	for {
		l.mu.Lock()
		free, freed := l.busy < l.limit && ctx.Err() == nil, l.freed
		if free {
			l.busy++
		}
		l.mu.Unlock()
		if free {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.wake()
}

// wake lets those who wait for a slot look again. The lock is held.
func (l *limiter) wake() {
	close(l.freed)
	l.freed = make(chan struct{})
}

// pause is how long the source still wants no requests.
func (l *limiter) pause() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.quiet)
}

// pauseFor begins a pause, or prolongs it.
func (l *limiter) pauseFor(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := time.Now().Add(wait); end.After(l.quiet) {
		l.quiet = end
	}
}

// refused halves the limit at a 429 or 503. Requests that were under way when it was
// halved last say nothing new.
func (l *limiter) refused(status int, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable || began.Before(l.halved) {
		return
	}
	l.limit = max(1, l.limit/2)
	l.halved = time.Now()
	l.changed = l.halved
}

// answered notes an answer that can be used.
func (l *limiter) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.limit < l.maximum && now.Sub(l.changed) >= growth {
		l.limit++
		l.changed = now
		l.wake()
	}
}
