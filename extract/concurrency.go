package extract

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// growth is the pause before the limit grows by one, after any change of it.
	growth = time.Second
	// window is how many answers tell an endpoint's latency, by their median.
	window = 16
	// noticeable is the least rise of the latency that counts. Less is noise, and
	// so is what our own busy processor adds.
	noticeable = 100 * time.Millisecond
)

// concurrency limits the requests under way. It starts at the maximum, halves when
// the source refuses for overload, shrinks by an eighth when answers have become
// clearly slower, and grows by one a second while all is well.
type concurrency struct {
	mu      sync.Mutex
	max     int
	limit   int
	busy    int
	queue   []chan struct{}
	cut     time.Time // the last cut for overload
	changed time.Time
	paces   map[string]*pace // by endpoint, since some answer slower than others
}

func newConcurrency(limit int) *concurrency {
	return &concurrency{max: limit, limit: limit, paces: map[string]*pace{}}
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

// answered notes how long an endpoint took to begin its answer.
func (c *concurrency) answered(endpoint string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.paces[endpoint]
	if p == nil {
		p = &pace{}
		c.paces[endpoint] = p
	}
	now := time.Now()
	switch slower := p.add(took); {
	case slower:
		c.limit = max(1, c.limit-max(1, c.limit/8))
		c.changed = now
	case c.limit < c.max && p.slow == 0 && now.Sub(c.changed) >= growth:
		c.limit++
		c.changed = now
		c.admit()
	}
}

// pace is an endpoint's latency: what is usual, and whether it is above that.
type pace struct {
	recent []time.Duration
	usual  time.Duration
	slow   int // windows in succession that were clearly slower than usual
}

// add reports whether the answers have been clearly slower for two windows. What
// stays slow becomes usual in time, since it may not be our doing.
func (p *pace) add(took time.Duration) (slower bool) {
	if p.recent = append(p.recent, took); len(p.recent) < window {
		return false
	}
	slices.Sort(p.recent)
	median := p.recent[window/2]
	p.recent = p.recent[:0]
	if p.usual == 0 {
		p.usual = median
	}
	if median > 2*p.usual && median-p.usual > noticeable {
		p.slow++
	} else {
		p.slow = 0
	}
	p.usual += (median - p.usual) / window
	return p.slow >= 2
}
