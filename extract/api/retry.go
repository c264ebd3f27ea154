package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// maxPause bounds a pause of our own choice between attempts.
const maxPause = 2 * time.Minute

// get requests a path below the base URL, retrying temporary failures. Path
// segments are escaped here, so that no id can leave its place. A cancelled run is
// reported as such and not as a failure of the source. It returns the source's clock.
func (c *Client) get(ctx context.Context, segments []string, query url.Values, accept parse) (now time.Time, err error) {
	call := &call{segments: segments, query: query, accept: accept}
	for tries := 1; ; tries++ {
		now, err = c.attempt(ctx, call)
		failure := c.classify(ctx, call, err)
		switch {
		case err == nil:
			return now, nil
		case ctx.Err() != nil:
			return now, ctx.Err()
		case failure == nil:
			return now, err
		}
		pause := c.pause(tries, failure.wait)
		c.reportRetry(failure, pause)
		if err := sleep(ctx, pause); err != nil {
			return now, err
		}
	}
}

// classify notes how an attempt went. It returns the failure if there is to be another
// attempt.
func (c *Client) classify(ctx context.Context, call *call, err error) (again *Error) {
	budget, failure := c.budgets.of(call), new(Error)
	if err == nil {
		budget.succeeded()
	}
	if ctx.Err() != nil || !errors.As(err, &failure) || !failure.temporary {
		return nil
	}
	// A source that serves others and refuses this one only sets the pace.
	paced := failure.Status == http.StatusTooManyRequests && budget.serves()
	if !paced {
		call.failures++
	}
	failure.failures = call.failures
	left := call.failures <= c.options.Retries
	failure.final = budget.failed(failure.wait, left && !paced)
	if budget.closed() <= 0 {
		c.limiter.pauseFor(failure.wait)
	}
	if !left || failure.final != "" {
		return nil
	}
	return failure
}

// reportRetry says that the run waits, and for what; of a single hiccup nobody needs
// to know.
func (c *Client) reportRetry(failure *Error, pause time.Duration) {
	c.retries.Add(1)
	c.waited.Add(int64(pause))
	if failure.failures >= 2 {
		c.options.Warn(fmt.Sprintf("%v; requested again in %s (try %d of %d)",
			failure, pause.Round(100*time.Millisecond), failure.failures+1, c.options.Retries+1))
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

func bodyError(segments []string, err error) error {
	if errors.Is(err, errBodyTooLarge) {
		return &Error{Kind: OffContract, Path: display(segments), Status: http.StatusOK, Err: err}
	}
	return &Error{Kind: Unreachable, Path: display(segments), Status: http.StatusOK, Message: "the answer broke off", Err: err, temporary: true}
}

// statusError classifies an answer that is not a 200. Now is the source's clock,
// by which it wrote a date of Retry-After.
func statusError(segments []string, answer *http.Response, body []byte, now time.Time) error {
	failure := &Error{
		Kind: Refused, Path: display(segments), Status: answer.StatusCode,
		Message: describe(answer.Header, body),
	}
	switch status := answer.StatusCode; {
	case isTemporary(answer, body):
		failure.Kind, failure.temporary = Unreachable, true
		failure.wait = retryAfter(answer.Header, now)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		failure.Kind = Unauthorized
	case status == http.StatusNotFound:
		failure.Kind = NotFound
	case status < 300:
		failure.Kind, failure.Message = OffContract, "only 200 is documented"
	case status < 400:
		failure.Kind = OffContract
		failure.Message = "the source redirects, which is not followed; set api.base_url to its final address"
	}
	return failure
}

// excerpt shortens what an answer says to one clean line.
func excerpt(body []byte) string {
	const limit = 160
	var b strings.Builder
	for _, field := range strings.FieldsFunc(string(body), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(field)
		if b.Len() > limit {
			return strings.ToValidUTF8(b.String()[:limit], "") + "…"
		}
	}
	return b.String()
}
