package api

import (
	"context"
	"sync"
	"time"
)

// quiet is the time until which the source wants no requests. Retry-After is
// meant for all workers, not only for the one that received it.
type quiet struct {
	mu  sync.Mutex
	end time.Time
}

func (q *quiet) until(wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if end := time.Now().Add(wait); end.After(q.end) {
		q.end = end
	}
}

func (q *quiet) left() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return time.Until(q.end)
}

// wait returns when it is over, also when it was prolonged meanwhile.
func (q *quiet) wait(ctx context.Context) error {
	for left := q.left(); left > 0; left = q.left() {
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return nil
}
