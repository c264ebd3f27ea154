package apisim

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options describe the organisation and the server. The zero value is a valid
// organisation without any rows, whose clock begins at 2026-01-01.
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
	// Token is the bearer token that is required; "" accepts any, but not none.
	Token string
	// Semantics the server starts with; the zero value is the documented one.
	Semantics Semantics
	// NoLog keeps no record of requests, only their number.
	NoLog bool
	// NoGzip never compresses.
	NoGzip bool
}

// DemoOptions are a mid-sized organisation with 90 days of history.
func DemoOptions(seed uint64, now time.Time) Options {
	return Options{Seed: seed, Now: now, Days: 90, AlertsPerDay: 420, ViolationsPerDay: 130}
}

// Sim is a simulated organisation and the server of its data. All methods may
// be called at any time, from the function of [Sim.SetOnRequest] too.
type Sim struct {
	options Options
	world   *world

	mu        sync.RWMutex // guards what follows
	now       time.Time
	grownTo   time.Time
	tables    [2]table
	semantics Semantics
	token     string
	moments   []int64 // scratch of times

	hook struct {
		sync.Mutex
		call func(*http.Request, int)
	}
	requests atomic.Int64
	log      requestLog
	faults   faultList
}

// New makes an organisation and its history up to Options.Now.
func New(options Options) *Sim {
	if options.Now.IsZero() {
		options.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	options.Now = options.Now.UTC()
	s := &Sim{
		options: options, world: newWorld(options.Seed), now: options.Now, grownTo: options.Now,
		semantics: options.Semantics, token: options.Token,
	}
	s.log.off = options.NoLog
	begin := options.Now.AddDate(0, 0, -options.Days)
	s.grow(Alerts, begin, options.Now)
	s.grow(Violations, begin, options.Now)
	return s
}

// Now is the simulated time.
func (s *Sim) Now() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

// Advance lets time pass, and generates its rows. A time that was reached this way
// before has its rows already.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.now
	if s.grownTo.After(from) {
		from = s.grownTo
	}
	s.now = s.now.Add(d)
	if s.now.After(from) {
		s.grow(Alerts, from, s.now)
		s.grow(Violations, from, s.now)
		s.grownTo = s.now
	}
}

// SetNow sets the clock, in either direction, without anything happening.
func (s *Sim) SetNow(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now.UTC()
}

// SetToken changes the bearer token that is required, as a rotation does.
func (s *Sim) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Semantics returns the ones in force.
func (s *Sim) Semantics() Semantics {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.semantics
}

// SetSemantics changes them for the answers that follow.
func (s *Sim) SetSemantics(m Semantics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.semantics = m
}

// SetOnRequest sets a function that is called with the running number (from 1) of each
// request before its answer is made; nil removes it. Calls never overlap. It may change
// the rows.
func (s *Sim) SetOnRequest(call func(r *http.Request, n int)) {
	s.hook.Lock()
	defer s.hook.Unlock()
	s.hook.call = call
}

// Organisation returns who and what the rows refer to. Its lists are not to be changed.
func (s *Sim) Organisation() Organisation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.world.Organisation
}
