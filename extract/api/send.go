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

// template is the endpoint without ids: the same for every policy.
func (c *call) template() string {
	if len(c.segments) == 3 && c.segments[0] == "policy" {
		return display([]string{"policy", "{policyId}", c.segments[2]})
	}
	return display(c.segments)
}

// send sends one request when it may be sent.
func (c *Client) send(ctx context.Context, call *call, token string) (now time.Time, err error) {
	if err := c.limiter.acquire(ctx); err != nil {
		return now, err
	}
	defer c.limiter.release()
	if left := c.budgets.of(call).closed(); left > 0 {
		return now, &Error{Kind: Unreachable, Path: display(call.segments), Message: "not sent, since the source wants no requests for another " + rounded(left)}
	}
	return c.exchange(ctx, call, secret(token))
}

// exchange is one request and its answer, within the timeouts.
func (c *Client) exchange(ctx context.Context, call *call, token secret) (now time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(call.segments, call.query), nil)
	if err != nil {
		return now, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("User-Agent", c.options.UserAgent)
	request.Header.Set("Cache-Control", "no-cache")
	c.requests.Add(1)
	began := time.Now()
	attempt := Attempt{Endpoint: call.template(), Started: began, Retry: call.sent > 0}
	call.sent++
	defer func() {
		attempt.Took = time.Since(began)
		c.options.Observe(attempt)
	}()
	// The transport itself follows no redirect, which would carry the token
	// elsewhere, and does not even read where it leads to.
	answer, err := c.http.Transport.RoundTrip(request)
	if err != nil {
		return now, &Error{
			Kind: Unreachable, Path: display(call.segments), Err: c.orTimeout(ctx, err, "no answer"), temporary: certificateError(err) == nil,
		}
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
		return now, statusError(call.segments, answer, begins, now)
	}
	c.limiter.answered()
	text, err := read(body, answer.ContentLength)
	if err != nil {
		return now, bodyError(call.segments, c.orTimeout(ctx, err, "the answer was not complete"))
	}
	if err := call.accept(text); err != nil {
		c.show(call, answer.StatusCode, text, token)
		return now, &Error{
			Kind: OffContract, Path: display(call.segments), Status: answer.StatusCode,
			Message: describe(answer.Header, text), Err: err, temporary: true,
		}
	}
	return now, nil
}

// show hands over how an answer begins that cannot be used, if a person wants to see it.
func (c *Client) show(call *call, status int, body []byte, token secret) {
	if c.options.ShowAnswer != nil {
		begins := excerpt(token.hide(body[:min(len(body), maxExcerpt)]))
		c.options.ShowAnswer(fmt.Sprintf("GET %s: HTTP %d: the answer begins: %s", display(call.segments), status, begins))
	}
}

func (c *Client) address(segments []string, query url.Values) string {
	target := *c.base
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = escapeSegment(s)
	}
	target.Path, target.RawPath, target.RawQuery, target.Fragment = "", "", "", ""
	prefix := strings.TrimSuffix(c.base.EscapedPath(), "/")
	return target.String() + prefix + "/" + strings.Join(escaped, "/") + "?" + query.Encode()
}

// escapeSegment escapes one path segment; "." and ".." would be resolved away
// by servers and proxies, so their dots are escaped too.
func escapeSegment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

func display(segments []string) string { return "/" + strings.Join(segments, "/") }
