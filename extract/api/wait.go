package api

import (
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
