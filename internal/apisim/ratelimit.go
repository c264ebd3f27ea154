package apisim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// RateLimit is a token bucket in real time, shared by all endpoints.
type RateLimit struct {
	// PerSecond requests are allowed on average, and Burst at once (at least 1).
	PerSecond float64
	Burst     int
	// RetryAfter is the form of the header of that name in a 429.
	RetryAfter RetryAfter
	// Clock is what the bucket fills by; nil means the real one.
	Clock func() time.Time
}

// RetryAfter is how a 429 says when to come again.
type RetryAfter uint8

// Seconds and a date (by the simulated clock) are what HTTP allows. An absurd
// one asks for eleven days.
const (
	RetryAfterSeconds RetryAfter = iota
	RetryAfterDate
	RetryAfterNone
	RetryAfterAbsurd
)

type limiter struct {
	mu      sync.Mutex
	tokens  float64
	last    time.Time
	started bool
}

// refuse takes a token, or returns the headers of a 429.
func (l *limiter) refuse(limit *RateLimit, simulated time.Time) (bool, http.Header) {
	if limit == nil {
		return false, nil
	}
	clock := time.Now
	if limit.Clock != nil {
		clock = limit.Clock
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, burst := clock(), float64(max(1, limit.Burst))
	if !l.started {
		l.started, l.tokens, l.last = true, burst, now
	}
	l.tokens = min(burst, l.tokens+max(0, now.Sub(l.last).Seconds())*limit.PerSecond)
	l.last = now
	if l.tokens >= 1 {
		l.tokens--
		return false, nil
	}
	seconds := 1
	if limit.PerSecond > 0 {
		seconds = int((1-l.tokens)/limit.PerSecond) + 1
	}
	return true, limit.RetryAfter.header(seconds, simulated)
}

func (a RetryAfter) header(seconds int, now time.Time) http.Header {
	value := strconv.Itoa(seconds)
	switch a {
	case RetryAfterDate:
		value = now.Add(time.Duration(seconds) * time.Second).Format(http.TimeFormat)
	case RetryAfterNone:
		return nil
	case RetryAfterAbsurd:
		value = "999999"
	}
	return http.Header{"Retry-After": {value}}
}
