package extract

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

var anyPage = Query{List: Alerts}

// peekAt asks a client one question.
func peekAt(c *Client) error {
	_, _, err := c.Peek(context.Background(), anyPage, noon.Add(-time.Hour))
	return err
}

func wantKind(t *testing.T, err error, want Kind) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("error %v is none of this package", err)
	}
	if kind, ok := KindOf(err); !ok || kind != want {
		t.Fatalf("error %v has kind %d, want %d", err, kind, want)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Fatalf("the error tells the token: %v", err)
	}
	return failure
}

func TestFailuresByKind(t *testing.T) {
	html := "<html><body>Bad  gateway\x00 for secret</body></html>"
	for _, c := range []struct {
		name     string
		fault    apisim.Fault
		kind     Kind
		requests int // of a client that retries 3 times
		says     string
	}{
		{"400", apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: `{"success":false,"message":"Invalid secret"}`}, Refused, 1, "Invalid [token]"},
		{"409", apisim.Fault{Kind: apisim.FaultStatus, Status: 409}, Refused, 1, "409"},
		{"404", apisim.Fault{Kind: apisim.FaultStatus, Status: 404, Body: html}, NotFound, 1, "Bad gateway for [token]"},
		{"408", apisim.Fault{Kind: apisim.FaultStatus, Status: 408}, Unreachable, 4, "408"},
		{"429", apisim.Fault{Kind: apisim.FaultStatus, Status: 429}, Unreachable, 4, "429"},
		{"429, absurd", apisim.Fault{Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"950400"}}}, Unreachable, 1, "264h"},
		{"429, more absurd", apisim.Fault{Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"99999999999999999999"}}}, Unreachable, 1, "again"},
		{"500", apisim.Fault{Kind: apisim.FaultStatus, Status: 500, Body: `{"message":{"a":1}}`}, Unreachable, 4, "500"},
		{"503", apisim.Fault{Kind: apisim.FaultStatus, Status: 503, Body: html}, Unreachable, 4, "503"},
		{"204", apisim.Fault{Kind: apisim.FaultStatus, Status: 206, Body: "{}"}, OffContract, 1, "only 200"},
		{"reset", apisim.Fault{Kind: apisim.FaultReset}, Unreachable, 4, ""},
		{"reset before the headers", apisim.Fault{Kind: apisim.FaultReset, AfterBytes: -1}, Unreachable, 4, ""},
		{"truncated", apisim.Fault{Kind: apisim.FaultTruncate}, Unreachable, 4, "broke off"},
		{"invalid JSON", apisim.Fault{Kind: apisim.FaultBadJSON}, OffContract, 4, "not a page"},
		{"HTML", apisim.Fault{Kind: apisim.FaultHTML, Body: html}, OffContract, 4, "Bad gateway for [token]"},
		{"not success", apisim.Fault{Kind: apisim.FaultNotSuccess}, OffContract, 4, "success is false"},
		{"endless", apisim.Fault{Kind: apisim.FaultEndless, ChunkBytes: 1 << 20}, OffContract, 1, "64 MB"},
		{"redirect", apisim.Fault{Kind: apisim.FaultRedirect}, OffContract, 1, "redirect"},
		{"401", apisim.Fault{Kind: apisim.FaultUnauthorized}, Unauthorized, 1, ""},
		{"403", apisim.Fault{Kind: apisim.FaultForbidden}, Unauthorized, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim := apisim.New(apisim.Options{Now: noon, Days: 1, AlertsPerDay: 500})
			client := dial(t, sim)
			sim.Inject(c.fault)
			failure := wantKind(t, peekAt(client), c.kind)
			if got := sim.RequestCount(); got != c.requests || client.Requests() != int64(c.requests) {
				t.Errorf("%d requests, want %d", got, c.requests)
			}
			if failure.Path != "/policy/alerts" || !strings.Contains(failure.Error(), c.says) || len(failure.Error()) > 400 {
				t.Errorf("error %q, want %q in it", failure, c.says)
			}
			sim.ClearFaults()
			if err := peekAt(client); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestPassingFailuresCostNothing(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 20, AlertsPerDay: 150})
	all := truth(t, sim, anyPage)
	for _, kind := range []apisim.FaultKind{apisim.FaultReset, apisim.FaultTruncate, apisim.FaultBadJSON, apisim.FaultHTML, apisim.FaultNotSuccess} {
		sim.Inject(apisim.Fault{Kind: kind, Probability: 0.07})
	}
	sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 502, Probability: 0.07})
	client := dial(t, sim, func(o *Options) { o.Retries = 30 })
	job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -20), noon)}
	readAll(client, job).expect(t, func(int) []shown { return all })
}

func TestCompressedAnswers(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 20, AlertsPerDay: 50})
	all := truth(t, sim, anyPage)
	client := dial(t, sim)
	client.http.Transport.(*http.Transport).DisableCompression = false
	job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -20), noon)}
	readAll(client, job).expect(t, func(int) []shown { return all })
	sim.Inject(apisim.Fault{Kind: apisim.FaultGzipBomb, Size: 100 << 20})
	failure := wantKind(t, peekAt(client), OffContract)
	if !strings.Contains(failure.Error(), "64 MB") {
		t.Error(failure)
	}
	sim.ClearFaults()
	sim.Inject(apisim.Fault{Kind: apisim.FaultTruncate})
	wantKind(t, peekAt(client), Unreachable)
}

func TestHungSourceTimesOut(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	sim.Inject(apisim.Fault{Kind: apisim.FaultHang, AfterBytes: 3})
	client := dial(t, sim, func(o *Options) { o.Timeout, o.Retries = 20*time.Millisecond, 2 })
	wantKind(t, peekAt(client), Unreachable)
	if client.Requests() != 3 {
		t.Errorf("%d requests", client.Requests())
	}
}

func TestCancelEndsPromptly(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	for name, fault := range map[string]apisim.Fault{
		"while it hangs":     {Kind: apisim.FaultHang},
		"while it waits":     {Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"600"}}},
		"between two tries":  {Kind: apisim.FaultStatus, Status: 500},
		"walks, not started": {Kind: apisim.FaultReset},
	} {
		t.Run(name, func(t *testing.T) {
			remove := sim.Inject(fault)
			defer remove()
			client := dial(t, sim, func(o *Options) { o.Backoff = time.Hour })
			ctx, cancel := context.WithCancel(context.Background())
			before := sim.RequestCount()
			sim.SetOnRequest(func(*http.Request, int) { cancel() })
			defer sim.SetOnRequest(nil)
			for _, err := range client.Walk([]Job{{Query: anyPage, Interval: between(noon.Add(-time.Hour), noon)}}).Pages(ctx) {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
			}
			if sim.RequestCount() != before+1 {
				t.Errorf("%d requests", sim.RequestCount()-before)
			}
		})
	}
}

func TestTokenIsRefreshedOnce(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon, Token: "second"})
	var calls, refreshes atomic.Int32
	client := dial(t, sim, connections(8), func(o *Options) {
		o.Token = func(_ context.Context, refresh bool) (string, error) {
			calls.Add(1)
			if refresh {
				refreshes.Add(1)
				return "second", nil
			}
			return "secret", nil
		}
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := peekAt(client); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if calls.Load() != 2 || refreshes.Load() != 1 {
		t.Errorf("%d calls, %d refreshes", calls.Load(), refreshes.Load())
	}
	sim.SetToken("third")
	before := sim.RequestCount()
	wantKind(t, peekAt(client), Unauthorized)
	if sim.RequestCount() != before+1 || refreshes.Load() != 2 {
		t.Errorf("%d requests, %d refreshes", sim.RequestCount()-before, refreshes.Load())
	}
}

func TestTokensThatCannotBeSent(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	for _, token := range []string{"", "secret\n", "secret\r\nX: y"} {
		client := dial(t, sim, func(o *Options) { o.Token = func(context.Context, bool) (string, error) { return token, nil } })
		wantKind(t, peekAt(client), Unauthorized)
	}
	client := dial(t, sim, func(o *Options) {
		o.Token = func(context.Context, bool) (string, error) { return "", errors.New("no such file") }
	})
	wantKind(t, peekAt(client), Unauthorized)
	if sim.RequestCount() != 0 {
		t.Errorf("%d requests", sim.RequestCount())
	}
}

func TestTokenStaysAtTheBaseURL(t *testing.T) {
	var stolen atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer other.Close()
	sim := apisim.New(apisim.Options{Now: noon})
	for _, status := range []int{301, 302, 303, 307, 308} {
		sim.ClearFaults()
		sim.Inject(apisim.Fault{Kind: apisim.FaultRedirect, Status: status, Location: other.URL + "/policy/alerts"})
		wantKind(t, peekAt(dial(t, sim)), OffContract)
	}
	if stolen.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestSegmentsStayInTheirPlace(t *testing.T) {
	var path atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.RequestURI)
		_, _ = w.Write([]byte(`{"success":true,"alerts":[],"total":0}`))
	}))
	defer server.Close()
	client, err := NewClient(Options{BaseURL: server.URL + "/api%20v1/?x=1#y", Token: func(context.Context, bool) (string, error) { return "t", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for id, want := range map[string]string{
		"../../x": "..%2F..%2Fx", "%2e": "%252e", "a/b": "a%2Fb", "..": "%2E%2E", ".": "%2E", "a?b#c": "a%3Fb%23c", "é ;": "%C3%A9%20%3B",
	} {
		if _, _, err := client.Peek(context.Background(), Query{List: Alerts, PolicyPath: id}, noon); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(path.Load().(string), "?"); got != "/api%20v1/policy/"+want+"/alerts" {
			t.Errorf("%q: asked %s", id, got)
		}
	}
}

func TestBaseURLs(t *testing.T) {
	for _, text := range []string{"", "ftp://x", "backend.flashback.tech", "https://", "https://user:secret@x", "http://a b/%zz", "://secret"} {
		if _, err := NewClient(Options{BaseURL: text}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// answerFunc is a transport without a network, for the simulated time of a bubble.
type answerFunc func(*http.Request) *http.Response

func (f answerFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// TestRetryAfterIsHonoured: nobody asks before the time is over, neither the
// worker that was told nor the others.
func TestRetryAfterIsHonoured(t *testing.T) {
	for name, header := range map[string]string{"seconds": "90", "date": noon.Add(90 * time.Second).Format(http.TimeFormat)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := NewClient(Options{
					BaseURL: "http://x", MaxConcurrency: 4, Retries: 2, Backoff: time.Second,
					Token: func(context.Context, bool) (string, error) { return "secret", nil },
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
						t.Errorf("asked again after %v", time.Since(began))
					}
					_, _ = w.WriteString(`{"success":true,"alerts":[],"total":0}`)
					return w.Result()
				})
				if err := client.quiet.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
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
		client, err := NewClient(Options{
			BaseURL: "http://x", Retries: 12, Backoff: time.Second,
			Token: func(context.Context, bool) (string, error) { return "secret", nil },
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

func TestRequestsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := NewClient(Options{
			BaseURL: "http://x", RequestsPerSecond: 2, MaxConcurrency: 4,
			Token: func(context.Context, bool) (string, error) { return "secret", nil },
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
