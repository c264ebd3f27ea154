package apisim

import (
	"net/http"
	"time"
)

// Options describe the organisation and the server. The zero value is a valid
// organisation without any rows, whose clock stands at 2026-01-01.
type Options struct {
	// Seed decides everything that looks random.
	Seed uint64
	// Now is where the simulated clock starts; zero means 2026-01-01T00:00:00Z.
	Now time.Time
	// Days of history that exist before Now.
	Days int
	// AlertsPerDay and ViolationsPerDay are averages over the history; zero
	// leaves the stream empty and keeps it from growing.
	AlertsPerDay, ViolationsPerDay int
	// Token is the bearer token to ask for; "" accepts any, but not none.
	Token string
	// Semantics the server starts with; the zero value is the documented one.
	Semantics Semantics
	// OnRequest is called with the running number (from 1) of each request
	// before its answer is made. Calls never overlap. It may change the rows.
	OnRequest func(r *http.Request, n int)
	// NoLog keeps no record of requests, only their number.
	NoLog bool
	// NoGzip never compresses.
	NoGzip bool
}

// DemoOptions are a mid-sized organisation with 90 days of history.
func DemoOptions(seed uint64, now time.Time) Options {
	return Options{Seed: seed, Now: now, Days: 90, AlertsPerDay: 420, ViolationsPerDay: 130}
}

func (o Options) withDefaults() Options {
	if o.Now.IsZero() {
		o.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	o.Now = o.Now.UTC()
	return o
}
