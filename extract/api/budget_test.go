package api

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRetriesRunOut: what fails too often fails at once in the end, and the other
// endpoints do not feel it.
func TestRetriesRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		client := inBubble(t, func(w *httptest.ResponseRecorder, r *http.Request) {
			if down.Load() && strings.HasSuffix(r.URL.Path, "alerts") {
				w.WriteHeader(503)
			}
			_, _ = w.WriteString(emptyPage)
		}, func(o *Options) { o.Patience = 1000 * time.Hour })
		for range 20 { // 5 retries each
			if err := wantKind(t, peekAt(client), Unreachable); strings.Contains(err.Error(), "budget") {
				t.Fatalf("too early: %v", err)
			}
		}
		for range 3 {
			before := client.Requests()
			if err := wantKind(t, peekAt(client), Unreachable); !strings.Contains(err.Error(), "the budget for retries is used up") || client.Requests() != before+1 {
				t.Errorf("%d requests, %v", client.Requests()-before, err)
			}
		}
		if client.Retries() != budgetTokens {
			t.Errorf("%d retries", client.Retries())
		}
		if err := requestStats(client); err != nil {
			t.Error(err)
		}
		down.Store(false)
		for range 5 { // a retry's worth
			if err := peekAt(client); err != nil {
				t.Fatal(err)
			}
		}
		down.Store(true)
		if wantKind(t, peekAt(client), Unreachable); client.Retries() != budgetTokens+1 {
			t.Errorf("%d retries after some successes", client.Retries())
		}
	})
}

// TestAFailingStreamDoesNotBlockOthers: a stream that fails neither takes the retries of the
// others nor keeps the slots while it waits.
func TestAFailingStreamDoesNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stats atomic.Int32
		client := inBubble(t, func(w *httptest.ResponseRecorder, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "alerts") || stats.Add(1)%2 == 1 {
				w.WriteHeader(503)
			}
			_, _ = w.WriteString(emptyPage)
		}, func(o *Options) { o.Backoff, o.Retries = time.Hour, 100 })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		for range 8 {
			go func() {
				_, _ = client.List(ctx, anyPage, recent, 0, 1)
				done <- struct{}{}
			}()
		}
		synctest.Wait() // all of them wait for their next try
		began := time.Now()
		if err := requestStats(client); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited > maxPause+time.Second {
			t.Errorf("another stream waited %v", waited)
		}
		cancel()
		for range 8 {
			<-done
		}
	})
}

// TestRareFailuresNeverRunOut: below a share of 15% the budget lasts indefinitely.
func TestRareFailuresNeverRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(1, 2))
		client := inBubble(t, func(w *httptest.ResponseRecorder, _ *http.Request) {
			if dice.Float64() < 0.14 {
				w.WriteHeader(502)
			}
			_, _ = w.WriteString(emptyPage)
		}, func(o *Options) { o.Retries = 30 })
		for range 2000 {
			if err := peekAt(client); err != nil {
				t.Fatal(err)
			}
		}
		if client.Retries() < 200 || client.Waited() < time.Minute {
			t.Errorf("%d retries, waited %v", client.Retries(), client.Waited())
		}
	})
}

// TestPatienceEnds: however many retries there may be, they end when nothing has
// succeeded for so long.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := inBubble(t, failing(500), func(o *Options) { o.Retries = 1000 })
		began := time.Now()
		err := wantKind(t, peekAt(client), Unreachable)
		if took := time.Since(began); took < 15*time.Minute || took > 15*time.Minute+maxPause || !strings.Contains(err.Error(), "no request has succeeded for 15m0s") {
			t.Errorf("after %v: %v", took, err)
		}
		client.http.Transport = answerFunc(func(*http.Request) *http.Response {
			w := httptest.NewRecorder()
			healthy(w, nil)
			return w.Result()
		})
		if err := peekAt(client); err != nil {
			t.Error(err)
		}
	})
}

// TestRetryAfterBeyondThePatience fails at once, and no request is sent to that
// endpoint before the time is over.
func TestRetryAfterBeyondThePatience(t *testing.T) {
	for _, c := range []struct {
		header   string
		patience time.Duration
		requests int
	}{
		{"901", 0, 1},
		{"900", 0, 2},
		{"5", time.Second, 1},
		{"99999999999999999999", 0, 1},
		{noon.Add(16 * time.Minute).Format(http.TimeFormat), 0, 1},
		{noon.AddDate(900, 0, 0).Format(http.TimeFormat), 0, 1},
		{"600", 0, 2}, // twice 10 minutes are more than 15
	} {
		t.Run(c.header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := time.Time{}
				client := inBubble(t, func(w *httptest.ResponseRecorder, _ *http.Request) {
					if wait, err := strconv.Atoi(c.header); err == nil && !sent.IsZero() && time.Since(sent) < time.Duration(wait)*time.Second {
						t.Errorf("requested again after %v", time.Since(sent))
					}
					sent = time.Now()
					w.Header().Set("Date", noon.Format(http.TimeFormat))
					w.Header().Set("Retry-After", c.header)
					w.WriteHeader(429)
				}, func(o *Options) { o.Patience = c.patience })
				err := wantKind(t, peekAt(client), Unreachable)
				if !strings.Contains(err.Error(), "Retry-After wants a wait of ") || client.Requests() != int64(c.requests) {
					t.Errorf("%d requests, want %d: %v", client.Requests(), c.requests, err)
				}
				again := wantKind(t, peekAt(client), Unreachable)
				if !strings.Contains(again.Error(), "not sent") || client.Requests() != int64(c.requests) {
					t.Errorf("%d requests, want %d: %v", client.Requests(), c.requests, again)
				}
			})
		})
	}
}

// TestARateLimitIsNoFailure: whom others are served while it is refused just
// comes too often, and is requested again as often as it takes.
func TestARateLimitIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		allowed, filled := 5.0, time.Now()
		client := inBubble(t, func(w *httptest.ResponseRecorder, _ *http.Request) {
			allowed = min(5, allowed+time.Since(filled).Seconds()*2)
			if filled = time.Now(); allowed < 1 {
				w.WriteHeader(429)
			} else {
				allowed--
			}
			_, _ = w.WriteString(emptyPage)
		}, connections(1))
		done := make(chan error)
		for range 8 {
			go func() {
				var failure error
				for range 250 {
					if err := peekAt(client); err != nil {
						failure = err
					}
				}
				done <- failure
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if client.Retries() < 5*budgetTokens {
			t.Errorf("only %d retries", client.Retries())
		}
	})
}
