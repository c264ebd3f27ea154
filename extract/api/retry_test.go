package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func TestTemporaryFailuresPass(t *testing.T) {
	for _, status := range []int{408, 429, 500, 502, 503, 504, 599} {
		sim := apisim.New(apisim.Options{Now: noon})
		sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: status, Count: 2})
		client := dial(t, sim)
		if err := peekAt(client); err != nil || client.Requests() != 3 || client.Retries() != 2 {
			t.Errorf("%d: %d requests, %d retries, %v", status, client.Requests(), client.Retries(), err)
		}
	}
}

// TestNoRequestIsSentEarly by the clock of the server, in every form of the header.
func TestNoRequestIsSentEarly(t *testing.T) {
	for name, header := range map[string]func(now time.Time) string{
		"seconds": func(time.Time) string { return "1" },
		"a date":  func(now time.Time) string { return now.Add(time.Second).Format(http.TimeFormat) },
		"absent":  nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var refused time.Time
			early, n := 0, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if n++; n == 5 {
					refused = time.Now()
					w.Header().Set("Date", noon.Format(http.TimeFormat))
					if header != nil {
						w.Header().Set("Retry-After", header(noon))
					}
					w.WriteHeader(429)
					return
				}
				if header != nil && !refused.IsZero() && time.Since(refused) < time.Second {
					early++
				}
				_, _ = w.Write([]byte(emptyPage))
			}))
			defer server.Close()
			client := dialURL(t, server.URL, func(o *Options) { o.RequestsPerSecond = 100 })
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					for range 10 {
						if err := peekAt(client); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			// Those that were on their way when the answer was written are not early.
			if early > 3 || n != 41 {
				t.Errorf("%d requests, %d of them early", n, early)
			}
		})
	}
}

// TestAPauseHoldsBackWaitingRequests: what waits for the rate or for a slot when the
// source begins a pause waits for its end, too.
func TestAPauseHoldsBackWaitingRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refused time.Time
		client := inBubble(t, func(w *httptest.ResponseRecorder, _ *http.Request) {
			if refused.IsZero() {
				time.Sleep(time.Millisecond) // the others wait
				refused = time.Now()
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(503)
			} else if time.Since(refused) < time.Minute {
				t.Errorf("requested after %v", time.Since(refused))
			}
			_, _ = w.WriteString(emptyPage)
		}, connections(2), func(o *Options) { o.RequestsPerSecond = 1 })
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() { _ = peekAt(client) })
		}
		group.Wait()
	})
}

// TestRetryAfterIsHonoured: no request is sent before the time is over, neither the
// worker that got it nor the others.
func TestRetryAfterIsHonoured(t *testing.T) {
	for name, header := range map[string]string{"seconds": "90", "date": noon.Add(90 * time.Second).Format(http.TimeFormat)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := New(Options{
					BaseURL: "http://x", MaxConcurrency: 4, Retries: 2, Backoff: time.Second,
					Token: func(context.Context) (string, error) { return "secret", nil },
				})
				if err != nil {
					t.Fatal(err)
				}
				began, requests := time.Now(), atomic.Int32{}
				client.http.Transport = answerFunc(func(*http.Request) *http.Response {
					w := httptest.NewRecorder()
					w.Header().Set("Date", noon.Format(http.TimeFormat)) // far from our clock
					if requests.Add(1) == 1 {
						w.Header().Set("Retry-After", header)
						w.WriteHeader(429)
					} else if time.Since(began) < 90*time.Second {
						t.Errorf("requested again after %v", time.Since(began))
					}
					_, _ = w.WriteString(`{"success":true,"alerts":[],"total":0}`)
					return w.Result()
				})
				var group sync.WaitGroup
				group.Go(func() {
					if err := peekAt(client); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				for range 5 {
					group.Go(func() { _ = peekAt(client) })
				}
				group.Wait()
				if waited := time.Since(began); waited > 92*time.Second {
					t.Errorf("waited %v", waited)
				}
			})
		})
	}
}

func TestPausesDoubleWithJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Options{
			BaseURL: "http://x", Retries: 12, Backoff: time.Second,
			Token: func(context.Context) (string, error) { return "secret", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var at []time.Time
		client.http.Transport = answerFunc(func(*http.Request) *http.Response {
			at = append(at, time.Now())
			w := httptest.NewRecorder()
			w.WriteHeader(503)
			return w.Result()
		})
		wantKind(t, peekAt(client), Unreachable)
		if len(at) != 13 {
			t.Fatalf("%d attempts", len(at))
		}
		for i := 1; i < len(at); i++ {
			pause, ceiling := at[i].Sub(at[i-1]), min(time.Second<<(i-1), maxPause)
			if pause <= 0 || pause > ceiling+time.Millisecond {
				t.Errorf("pause %d: %v, at most %v", i, pause, ceiling)
			}
		}
	})
}

// TestPauses: never shorter than Retry-After, never longer than that and the ceiling.
func TestPauses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		backoff := time.Duration(rapid.Int64Range(1, int64(200*24*time.Hour)).Draw(t, "backoff"))
		wait := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait"))
		attempts := rapid.IntRange(0, 200).Draw(t, "attempts")
		client, err := New(Options{BaseURL: "http://x", Backoff: backoff})
		if err != nil {
			t.Fatal(err)
		}
		ceiling := backoff
		for i := 1; i < attempts && ceiling < maxPause; i++ {
			ceiling *= 2
		}
		pause := client.pause(attempts, wait)
		if pause <= wait || pause > wait+min(ceiling, maxPause) {
			t.Errorf("pause %v, Retry-After %v, ceiling %v", pause, wait, min(ceiling, maxPause))
		}
		if short := client.pause(attempts, 0); short <= 0 || short > min(ceiling, maxPause) {
			t.Errorf("pause %v without Retry-After", short)
		}
	})
}

func TestRetryAfterForms(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, "\t7": 7 * time.Second,
		noon.Add(time.Hour).Format(http.TimeFormat): time.Hour, noon.Add(-time.Hour).Format(http.TimeFormat): 0,
		"": 0, "-7": 0, "soon": 0, "1e9": 0, "2.5": 0, "0x10": 0, "inf": 0, "NaN": 0, "1_000": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, noon); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for _, absurd := range []string{"99999999999999999999", strings.Repeat("9", 400), "999999999"} {
		if got := retryAfter(http.Header{"Retry-After": {absurd}}, noon); got < 365*24*time.Hour {
			t.Errorf("%s: %v", absurd, got)
		}
	}
}

// TestAProxyThatForbidsIsNotTheAPI: a 403 that says when to come again, or is a page of
// HTML, passes; one of the API does not.
func TestAProxyThatForbidsIsNotTheAPI(t *testing.T) {
	for _, fault := range []apisim.Fault{
		{Kind: apisim.FaultStatus, Status: 403, Header: http.Header{"Retry-After": {"0"}}, Count: 1},
		{Kind: apisim.FaultStatus, Status: 403, Body: "<html>Forbidden", Header: http.Header{"Content-Type": {"text/html"}}, Count: 1},
	} {
		sim := apisim.New(apisim.Options{Now: noon})
		sim.Inject(fault)
		if client := dial(t, sim); peekAt(client) != nil || client.Requests() != 2 {
			t.Errorf("%v: %d requests", fault.Kind, client.Requests())
		}
		fault.Count = 0
		sim.Inject(fault)
		wantKind(t, peekAt(dial(t, sim)), Unreachable)
	}
	sim := apisim.New(apisim.Options{Now: noon})
	sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 403})
	client := dial(t, sim)
	if wantKind(t, peekAt(client), Unauthorized); client.Requests() != 1 {
		t.Errorf("%d requests", client.Requests())
	}
}

// TestWaitsAreReported from the second failure on, without what the source says.
func TestWaitsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []string
		client := inBubble(t, func(w *httptest.ResponseRecorder, _ *http.Request) {
			w.WriteHeader(503)
			_, _ = w.WriteString(`{"message":"jane is busy"}`)
		}, func(o *Options) { o.Warn = func(message string) { reported = append(reported, message) } })
		wantKind(t, peekAt(client), Unreachable)
		if len(reported) != 4 || strings.Contains(reported[0], "jane") || !strings.Contains(reported[0], "(try 3 of 6)") {
			t.Errorf("reported %q", reported)
		}
	})
}

func TestRequestsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Options{
			BaseURL: "http://x", RequestsPerSecond: 2, MaxConcurrency: 4,
			Token: func(context.Context) (string, error) { return "secret", nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		client.http.Transport = answerFunc(func(*http.Request) *http.Response {
			w := httptest.NewRecorder()
			_, _ = w.WriteString(`{"success":true,"alerts":[],"total":0}`)
			return w.Result()
		})
		began := time.Now()
		var group sync.WaitGroup
		for range 21 {
			group.Go(func() { _ = peekAt(client) })
		}
		group.Wait()
		if took := time.Since(began); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("21 requests took %v", took)
		}
	})
}
