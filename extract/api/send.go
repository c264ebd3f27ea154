package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Attempt is one request that was sent, and what became of it.
type Attempt struct {
	// Endpoint is the path below the base URL, with a placeholder for an id.
	Endpoint string
	Status   int // of the answer; 0 if there was none
	Started  time.Time
	Took     time.Duration // the answer's body included
	// Retry: the same request was sent before, without success.
	Retry bool
}

// send sends one request when it may be sent.
func (c *Client) send(ctx context.Context, call *call, token string) (now time.Time, err error) {
	if err := c.limiter.acquire(ctx); err != nil {
		return now, err
	}
	defer c.limiter.release()
	if left := c.budget(call.endpoint).closed(); left > 0 {
		return now, &Error{Kind: Unreachable, Message: "not sent, since the source wants no requests for another " + rounded(left)}
	}
	return c.exchange(ctx, call, secret(token))
}

// exchange is one request and its answer, within the timeouts.
func (c *Client) exchange(ctx context.Context, call *call, token secret) (now time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(call), nil)
	if err != nil {
		return now, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("User-Agent", c.options.UserAgent)
	request.Header.Set("Cache-Control", "no-cache")
	c.requests.Add(1)
	began := time.Now()
	attempt := Attempt{Endpoint: templateOf(call.endpoint, call.policy), Started: began, Retry: call.sent > 0}
	call.sent++
	defer func() {
		attempt.Took = time.Since(began)
		c.options.Observe(attempt)
	}()
	// The transport itself follows no redirect, which would carry the token
	// elsewhere, and does not even read where it leads to.
	answer, err := c.http.Transport.RoundTrip(request)
	if err != nil {
		return now, &Error{Kind: Unreachable, Err: c.orTimeout(ctx, err, "no answer"), temporary: certificateError(err) == nil}
	}
	attempt.Status = answer.StatusCode
	defer func() { _ = answer.Body.Close() }()
	now = c.clock(answer.Header)
	body := c.watched(answer.Body, abort)
	defer body.idle.Stop()
	if answer.StatusCode != http.StatusOK {
		c.limiter.refused(answer.StatusCode, began)
		begins := beginning(answer.StatusCode, body)
		c.show(call, answer.StatusCode, begins, token)
		return now, statusError(answer, begins, now)
	}
	c.limiter.answered()
	text, err := read(body, answer.ContentLength)
	if err != nil {
		return now, bodyError(c.orTimeout(ctx, err, "the answer was not complete"))
	}
	if err := call.accept(text); err != nil {
		c.show(call, answer.StatusCode, text, token)
		return now, &Error{
			Kind: OffContract, Status: answer.StatusCode, Message: describe(answer.Header, text),
			Err: fmt.Errorf("the answer is not a page: %w", err), temporary: true,
		}
	}
	return now, nil
}

// show hands over how an answer begins that cannot be used, if a person wants to see it.
func (c *Client) show(call *call, status int, body []byte, token secret) {
	if c.options.ShowAnswer != nil {
		begins := excerpt(token.hide(body[:min(len(body), maxExcerpt)]))
		c.options.ShowAnswer(fmt.Sprintf("GET %s: HTTP %d: the answer begins: %s", call.path(), status, begins))
	}
}

// address is the URL of a request. The id in it is escaped here, so that none can leave
// its place.
func (c *Client) address(call *call) string {
	origin := *c.base
	origin.Path, origin.RawPath, origin.RawQuery, origin.Fragment = "", "", "", ""
	prefix := strings.TrimSuffix(c.base.EscapedPath(), "/")
	return origin.String() + prefix + pathOf(call.endpoint, escapeSegment(call.policy)) + "?" + call.query.Encode()
}

// escapeSegment escapes one path segment; "." and ".." would be resolved away
// by servers and proxies, so their dots are escaped too.
func escapeSegment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
