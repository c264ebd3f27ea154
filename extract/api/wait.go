package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter is how long an answer wants no request, at least: seconds, or a date by the
// source's clock, which is now.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	if strings.Trim(text, "0123456789") != "" {
		return 0
	}
	seconds, _ := strconv.ParseFloat(text, 64) // infinite if it is too large, 0 if there is none
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

func bodyError(path string, err error) error {
	if errors.Is(err, errBodyTooLarge) {
		return &Error{Kind: OffContract, Path: path, Status: http.StatusOK, Err: err}
	}
	return &Error{Kind: Unreachable, Path: path, Status: http.StatusOK, Message: "the answer broke off", Err: err, temporary: true}
}

// statusError classifies an answer that is not a 200. Now is the source's clock,
// by which it wrote a date of Retry-After.
func statusError(path string, answer *http.Response, body []byte, now time.Time) error {
	failure := &Error{
		Kind: Refused, Path: path, Status: answer.StatusCode,
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
