package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// maxPause bounds a pause of our own choice between attempts.
const maxPause = 2 * time.Minute

// get sends a request until it succeeds, fails for good, or has failed too often. A
// cancelled run is reported as such and not as a failure of the source. It returns the
// source's clock.
func (c *Client) get(ctx context.Context, call *call) (now time.Time, err error) {
	budget := c.budget(call.endpoint)
	for tries := 1; ; tries++ {
		now, err = c.attempt(ctx, call)
		if err == nil {
			budget.succeeded()
			return now, nil
		}
		if ctx.Err() != nil {
			return now, ctx.Err()
		}
		failure, again := c.classify(call, budget, err)
		if !again {
			return now, err
		}
		pause := c.pause(tries, failure.wait)
		c.reportRetry(call, failure, pause)
		if err := sleep(ctx, pause); err != nil {
			return now, err
		}
	}
}

// classify notes a failure, and says whether there is to be another attempt.
func (c *Client) classify(call *call, budget *budget, err error) (failure *Error, again bool) {
	if !errors.As(err, &failure) {
		return nil, false
	}
	failure.Path = call.path()
	if !failure.temporary {
		return failure, false
	}
	// A source that serves others and refuses this one only sets the pace.
	paced := failure.Status == http.StatusTooManyRequests && budget.serves()
	if !paced {
		call.failures++
	}
	left := call.failures <= c.options.Retries
	failure.final = budget.failed(failure.wait, left && !paced)
	if budget.closed() <= 0 {
		c.limiter.pauseFor(failure.wait)
	}
	return failure, left && failure.final == ""
}

// reportRetry says that the run waits, and for what; of a single hiccup nobody needs
// to know.
func (c *Client) reportRetry(call *call, failure *Error, pause time.Duration) {
	c.retries.Add(1)
	c.waited.Add(int64(pause))
	if call.failures >= 2 {
		c.options.Warn(fmt.Sprintf("%v; requested again in %s (try %d of %d)",
			failure, pause.Round(100*time.Millisecond), call.failures+1, c.options.Retries+1))
	}
}

// pause is full jitter over a doubling ceiling, on top of the wait that the source
// wants, so that the workers do not come back all at once, and nobody early.
func (c *Client) pause(tries int, wait time.Duration) time.Duration {
	ceiling := min(min(c.options.Backoff, maxPause)<<min(max(tries-1, 0), 10), maxPause)
	return wait + 1 + rand.N(ceiling) //nolint:gosec // jitter needs no secrecy
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
