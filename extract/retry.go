package extract

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// maxPause bounds a pause of our own choice between attempts.
const maxPause = 2 * time.Minute

// retryPolicy repeats what failed temporarily; how often is judged after every
// attempt. The delay function replaces the library's jitter, which could fire before
// Retry-After is over.
func (c *Client) retryPolicy() retrypolicy.RetryPolicy[*response] {
	return retrypolicy.NewBuilder[*response]().
		HandleIf(func(_ *response, err error) bool {
			var failure *Error
			return errors.As(err, &failure) && failure.temporary
		}).
		WithMaxRetries(-1).
		WithDelayFunc(c.pause).
		OnRetryScheduled(c.tellRetry).
		Build()
}

// judge notes how an attempt went, and makes a temporary failure final when there
// is to be no further one.
func (c *Client) judge(ctx context.Context, call *call, err error) {
	budget, failure := c.budgets.of(call), new(Error)
	if err == nil {
		budget.succeeded()
	}
	if ctx.Err() != nil || !errors.As(err, &failure) || !failure.temporary {
		return
	}
	// A source that serves others and refuses this one only sets the pace.
	paced := failure.Status == http.StatusTooManyRequests && budget.serves()
	if !paced {
		call.failures++
	}
	failure.failures = call.failures
	again := call.failures <= c.options.Retries
	why := budget.failed(failure.wait, again && !paced)
	failure.temporary, failure.final = again && why == "", why
	if budget.closed() <= 0 {
		c.quiet.until(failure.wait)
	}
}

// tellRetry says that the run waits, and for what; of a single hiccup nobody needs
// to know.
func (c *Client) tellRetry(next failsafe.ExecutionScheduledEvent[*response]) {
	c.retries.Add(1)
	c.waited.Add(int64(next.Delay))
	if failure := new(Error); errors.As(next.LastError(), &failure) && failure.failures >= 2 {
		c.options.Warn(fmt.Sprintf("%v; requested again in %s (try %d of %d)",
			failure, next.Delay.Round(100*time.Millisecond), failure.failures+1, c.options.Retries+1))
	}
}

// pause is full jitter over a doubling ceiling, on top of what the source asked
// to wait, so that the workers do not come back all at once.
func (c *Client) pause(attempt failsafe.ExecutionAttempt[*response]) time.Duration {
	ceiling := min(min(c.options.Backoff, maxPause)<<min(max(attempt.Attempts()-1, 0), 10), maxPause)
	pause := 1 + rand.N(ceiling) //nolint:gosec // jitter needs no secrecy
	if failure := new(Error); errors.As(attempt.LastError(), &failure) {
		pause += failure.wait
	}
	return pause
}

// lastError undoes the retry library's wrapping. A cancelled run is reported as
// such and not as a failure of the source.
func lastError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	return err
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
		failure.wait = askedWait(answer, now)
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
