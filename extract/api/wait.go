package api

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// leastUnix tells a Unix time from a number of seconds, and leastMillis one in
// milliseconds from one in seconds: 2001 in either, and no wait is as long.
const leastUnix, leastMillis = 1e9, 1e12

// askedWait is how long an answer asks to wait, at least. Now is the source's clock, by
// which it wrote a date. Without Retry-After a refusal for too many requests may say
// when its limit is reset; other answers say so as well, and do not mean it.
func askedWait(answer *http.Response, now time.Time) time.Duration {
	header := answer.Header
	wait, ok := waitOf(header.Get("Retry-After"), now)
	if !ok && (answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusForbidden) {
		for _, name := range []string{"RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"} {
			if wait, ok = waitOf(header.Get(name), now); ok {
				break
			}
		}
	}
	return max(0, wait)
}

// waitOf reads seconds, also with a fraction, a Unix time or an HTTP date. What is not
// whole is rounded up, so that no request is sent early.
func waitOf(text string, now time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if date, err := http.ParseTime(text); err == nil {
		return date.Sub(now), true
	}
	if strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(seconds, 0) {
		return 0, false
	}
	if seconds >= leastMillis {
		seconds /= 1000
	}
	seconds = min(math.Ceil(seconds), math.MaxInt32*100)
	wait := time.Duration(min(seconds, math.MaxInt32)) * time.Second
	if seconds >= leastUnix {
		wait = time.Unix(int64(seconds), 0).Sub(now)
	}
	return wait, true
}

// isTemporary reports whether a status may pass. A 403 that says when to come again or
// that its limit is used up, or that a proxy wrote, refuses the moment and not the token.
func isTemporary(answer *http.Response, body []byte) bool {
	switch status := answer.StatusCode; status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return answer.Header.Get("Retry-After") != "" || spent(answer.Header) || startsLike(body) == "HTML"
	default:
		return status >= 500
	}
}

// spent reports whether an answer says that no request is left of its limit.
func spent(header http.Header) bool {
	return header.Get("RateLimit-Remaining") == "0" || header.Get("X-RateLimit-Remaining") == "0"
}

// dateOf is the source's clock; zero if the answer has none, or is from a cache, which
// repeats the date of long ago.
func dateOf(header http.Header) time.Time {
	age, _ := strconv.Atoi(header.Get("Age"))
	stored := strings.ToUpper(header.Get("X-Cache") + " " + header.Get("CF-Cache-Status") + " " + header.Get("Cache-Status"))
	if age > 0 || strings.Contains(stored, "HIT") {
		return time.Time{}
	}
	date, _ := http.ParseTime(header.Get("Date"))
	return date.UTC()
}
