package api

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// growth is the pause before the limit grows by one, after any change of it.
const growth = time.Second

// concurrency limits the requests under way. It starts at the maximum, halves when
// the source refuses for overload, and grows by one a second while it answers.
type concurrency struct {
	mu      sync.Mutex
	max     int
	limit   int
	busy    int
	queue   []chan struct{}
	cut     time.Time // the last cut for overload
	changed time.Time
}

func newConcurrency(limit int) *concurrency {
	return &concurrency{max: limit, limit: limit}
}

func (c *concurrency) current() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limit
}

// acquire waits for a slot; first come, first served.
func (c *concurrency) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	turn := make(chan struct{})
	c.mu.Lock()
	c.queue = append(c.queue, turn)
	c.admit()
	c.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.queue, turn); i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	} else { // it came at the same moment
		c.busy--
		c.admit()
	}
	return ctx.Err()
}

func (c *concurrency) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.admit()
}

// admit gives free slots to those who wait. The lock is held.
func (c *concurrency) admit() {
	for len(c.queue) > 0 && c.busy < c.limit {
		close(c.queue[0])
		c.queue = c.queue[1:]
		c.busy++
	}
}

// refused halves the limit at a 429 or 503. Requests that were under way at the
// last cut say nothing new.
func (c *concurrency) refused(status int, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable || began.Before(c.cut) {
		return
	}
	c.limit = max(1, c.limit/2)
	c.cut = time.Now()
	c.changed = c.cut
}

// answered notes an answer that can be used.
func (c *concurrency) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.limit < c.max && now.Sub(c.changed) >= growth {
		c.limit++
		c.changed = now
		c.admit()
	}
}
