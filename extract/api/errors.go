package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind classifies a failure by what its reader should do.
type Kind int

const (
	// None: it is no failure of a request, such as a cancelled context.
	None Kind = iota - 1
	// Unreachable: the source did not answer, or kept failing.
	Unreachable
	// Unauthorized: the token was refused, or could not be had.
	Unauthorized
	// NotFound: the endpoint, policy or repository does not exist.
	NotFound
	// Refused: the source calls the request wrong.
	Refused
	// OffContract: the answer is not what the API documents.
	OffContract
)

// Error is a failed request. Its text has neither the token nor anything that the
// source sent; see describe.go.
type Error struct {
	Kind      Kind
	Path      string // endpoint, without host and query
	Status    int    // HTTP status; 0 if there was no answer
	Message   string // what is wrong with the answer, in our words
	Err       error  // cause, may be nil
	temporary bool
	wait      time.Duration // by Retry-After
	final     string        // why it is not retried although it may pass
}

func (e *Error) Error() string {
	text := "GET " + e.Path
	if e.Status != 0 {
		text += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.final != "" {
		text += "; " + e.final
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of a failure of this package, and None for others.
func KindOf(err error) Kind {
	var failure *Error
	if !errors.As(err, &failure) {
		return None
	}
	return failure.Kind
}

func bodyError(err error) error {
	if errors.Is(err, errBodyTooLarge) {
		return &Error{Kind: OffContract, Status: http.StatusOK, Err: err}
	}
	return &Error{Kind: Unreachable, Status: http.StatusOK, Message: "the answer broke off", Err: err, temporary: true}
}

// statusError classifies an answer that is not a 200. Now is the source's clock,
// by which it wrote a date of Retry-After.
func statusError(answer *http.Response, body []byte, now time.Time) error {
	failure := &Error{
		Kind: Refused, Status: answer.StatusCode, Message: describe(answer.Header, body),
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

// retryAfter is how long an answer wants no request, at least: seconds, or a date by the
// source's clock, which is now.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	seconds, _ := strconv.ParseUint(text, 10, 64) // 0 if it is none, the largest if it is too large
	return time.Duration(min(seconds, math.MaxInt32)) * time.Second
}

// isTemporary reports whether a status may pass. A 403 that says when to come again, or
// that a proxy wrote, refuses the moment and not the token.
func isTemporary(answer *http.Response, body []byte) bool {
	switch status := answer.StatusCode; status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return answer.Header.Get("Retry-After") != "" || startsLike(body) == "HTML"
	default:
		return status >= 500
	}
}
