package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// TestHealthySourceIsUsedInFull from the first request to the last.
func TestHealthySourceIsUsedInFull(t *testing.T) {
	for _, latency := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			client := inBubble(t, func(w *httptest.ResponseRecorder, r *http.Request) {
				time.Sleep(latency)
				healthy(w, r)
			}, connections(8))
			began := time.Now()
			sendMany(client, 8, 50, nil)
			if took := time.Since(began); took != 50*latency || limitOf(client) != 8 {
				t.Errorf("at %v: 400 requests by 8 took %v, limit %d", latency, took, limitOf(client))
			}
		})
	}
}

// limitOf is how many requests of the client may be under way now.
func limitOf(c *Client) int {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	return c.limiter.limit
}

// sendMany sends so many requests by so many workers, and calls after each.
func sendMany(client *Client, workers, each int, after func()) {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range each {
				_ = peekAt(client)
				if after != nil {
					after()
				}
			}
		})
	}
	group.Wait()
}

// TestOverloadHalvesOnce for a burst of refusals, and recovers to the maximum.
func TestOverloadHalvesOnce(t *testing.T) {
	for _, status := range []int{429, 503} {
		synctest.Test(t, func(t *testing.T) {
			var n, busy, most atomic.Int32
			client := inBubble(t, func(w *httptest.ResponseRecorder, r *http.Request) {
				if now := busy.Add(1); n.Load() > 8 && now > most.Load() {
					most.Store(now)
				}
				defer busy.Add(-1)
				mine := n.Add(1)
				time.Sleep(20*time.Millisecond + time.Duration(mine)) // all are under way at once
				if mine <= 8 {
					w.WriteHeader(status)
				}
				healthy(w, r)
			}, connections(8), func(o *Options) { o.Backoff = time.Millisecond })
			sendMany(client, 8, 10, nil)
			if limitOf(client) != 4 || most.Load() > 4 {
				t.Errorf("after a burst of %d: limit %d, %d at once", status, limitOf(client), most.Load())
			}
			sendMany(client, 8, 250, nil)
			if limitOf(client) != 8 || most.Load() != 8 {
				t.Errorf("later: limit %d, %d at once", limitOf(client), most.Load())
			}
		})
	}
}

func TestLimitNeverBelowOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		client := inBubble(t, func(w *httptest.ResponseRecorder, r *http.Request) {
			if down.Load() {
				w.WriteHeader(429)
			}
			healthy(w, r)
		}, connections(5))
		sendMany(client, 5, 20, func() {
			if limit := limitOf(client); limit < 1 || limit > 5 {
				t.Errorf("limit %d", limit)
			}
		})
		down.Store(false)
		if limitOf(client) != 1 {
			t.Errorf("limit %d", limitOf(client))
		}
		for range 10 {
			time.Sleep(growth)
			if err := peekAt(client); err != nil {
				t.Fatal(err)
			}
		}
		if limitOf(client) != 5 {
			t.Errorf("limit %d", limitOf(client))
		}
	})
}

// TestOtherFailuresDoNotSlowDown: they say nothing about too many requests.
func TestOtherFailuresDoNotSlowDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{400, 401, 404, 408, 500, 502, 504} {
			client := inBubble(t, failing(status), connections(8))
			if sendMany(client, 8, 3, nil); limitOf(client) != 8 {
				t.Errorf("%d: limit %d", status, limitOf(client))
			}
		}
	})
}

// TestSlots: never more at once than the limit, none is lost, and who stops waiting
// takes none along.
func TestSlots(t *testing.T) {
	limiter := newLimiter(3, rate.Inf)
	var busy atomic.Int32
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			for range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if i%3 == 0 {
					go cancel()
				}
				if limiter.acquire(ctx) == nil {
					if now := busy.Add(1); now > 3 {
						t.Errorf("%d at once", now)
					}
					if i%10 == 0 {
						limiter.refused(503, time.Now())
					}
					busy.Add(-1)
					limiter.release()
				}
				cancel()
			}
		})
	}
	group.Wait()
	if limiter.busy != 0 || limiter.limit != 1 {
		t.Errorf("%d busy, limit %d", limiter.busy, limiter.limit)
	}
}
