package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func wantKind(t *testing.T, err error, want Kind) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatalf("error %v is none of this package", err)
	}
	if kind := KindOf(err); kind != want {
		t.Fatalf("error %v has kind %d, want %d", err, kind, want)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Fatalf("the error shows the token: %v", err)
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
		{"400", apisim.Fault{Kind: apisim.FaultStatus, Status: 400, Body: `{"success":false,"message":"Invalid secret"}`}, Refused, 1, "application/json, 44 bytes, starts like JSON"},
		{"409", apisim.Fault{Kind: apisim.FaultStatus, Status: 409}, Refused, 1, "409"},
		{"404", apisim.Fault{Kind: apisim.FaultStatus, Status: 404, Body: html}, NotFound, 1, "application/json, 50 bytes, starts like HTML"},
		{"408", apisim.Fault{Kind: apisim.FaultStatus, Status: 408}, Unreachable, 4, "408"},
		{"429", apisim.Fault{Kind: apisim.FaultStatus, Status: 429}, Unreachable, 4, "429"},
		{"429, absurd", apisim.Fault{Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"950400"}}}, Unreachable, 1, "264h"},
		{"429, more absurd", apisim.Fault{Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"99999999999999999999"}}}, Unreachable, 1, "too long"},
		{"500", apisim.Fault{Kind: apisim.FaultStatus, Status: 500, Body: `{"message":{"a":1}}`}, Unreachable, 4, "500"},
		{"503", apisim.Fault{Kind: apisim.FaultStatus, Status: 503, Body: html}, Unreachable, 4, "503"},
		{"204", apisim.Fault{Kind: apisim.FaultStatus, Status: 206, Body: "{}"}, OffContract, 1, "only 200"},
		{"reset", apisim.Fault{Kind: apisim.FaultReset}, Unreachable, 4, ""},
		{"reset before the headers", apisim.Fault{Kind: apisim.FaultReset, AfterBytes: -1}, Unreachable, 4, ""},
		{"truncated", apisim.Fault{Kind: apisim.FaultTruncate}, Unreachable, 4, "broke off"},
		{"invalid JSON", apisim.Fault{Kind: apisim.FaultStatus, Status: 200, Body: `{"success":true,"alerts":[{"id":"a`}, OffContract, 4, "not a page: the JSON is cut off at byte "},
		{"HTML", apisim.Fault{Kind: apisim.FaultStatus, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: html}, OffContract, 4, "text/html, 50 bytes, starts like HTML: the answer is not a page: invalid JSON at byte 0"},
		{"not success", apisim.Fault{Kind: apisim.FaultStatus, Status: 200}, OffContract, 4, "success is false"},
		{"redirect", apisim.Fault{Kind: apisim.FaultStatus, Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}}, OffContract, 1, "redirect"},
		{"401", apisim.Fault{Kind: apisim.FaultStatus, Status: 401}, Unauthorized, 1, ""},
		{"403", apisim.Fault{Kind: apisim.FaultStatus, Status: 403}, Unauthorized, 1, ""},
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
			if err := peekAt(client); err != nil && !strings.Contains(err.Error(), "not sent") {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestPassingFailuresCostNothing(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 20, AlertsPerDay: 150})
	for _, fault := range []apisim.Fault{
		{Kind: apisim.FaultReset},
		{Kind: apisim.FaultTruncate},
		{Kind: apisim.FaultStatus, Status: 200, Body: `{"success":true,"alerts":[{"id":"a`},
		{Kind: apisim.FaultStatus, Status: 200, Body: "<html>"},
		{Kind: apisim.FaultStatus, Status: 200},
		{Kind: apisim.FaultStatus, Status: 502},
	} {
		fault.Probability = 0.07
		sim.Inject(fault)
	}
	client := dial(t, sim, func(o *Options) { o.Retries = 30 })
	if rows, err := readAll(client); err != nil || rows != sim.Len(apisim.Alerts) {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestCancelEndsPromptly(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon})
	for name, fault := range map[string]apisim.Fault{
		"while it hangs":    {Kind: apisim.FaultHang},
		"while it waits":    {Kind: apisim.FaultStatus, Status: 429, Header: http.Header{"Retry-After": {"600"}}},
		"between two tries": {Kind: apisim.FaultStatus, Status: 500},
		"while it is reset": {Kind: apisim.FaultReset},
	} {
		t.Run(name, func(t *testing.T) {
			remove := sim.Inject(fault)
			defer remove()
			client := dial(t, sim, func(o *Options) { o.Backoff = time.Hour })
			ctx, cancel := context.WithCancel(context.Background())
			before := sim.RequestCount()
			sim.SetOnRequest(func(*http.Request, int) { cancel() })
			defer sim.SetOnRequest(nil)
			if _, err := client.List(ctx, anyPage, recent, 0, 1); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if sim.RequestCount() != before+1 {
				t.Errorf("%d requests", sim.RequestCount()-before)
			}
		})
	}
}

func TestSegmentsStayInTheirPlace(t *testing.T) {
	var path atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.RequestURI)
		_, _ = w.Write([]byte(`{"success":true,"alerts":[],"total":0}`))
	}))
	defer server.Close()
	client, err := New(Options{BaseURL: server.URL + "/api%20v1/?x=1#y", Token: func(context.Context) (string, error) { return "t", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for id, want := range map[string]string{
		"../../x": "..%2F..%2Fx", "%2e": "%252e", "a/b": "a%2Fb", "..": "%2E%2E", ".": "%2E", "a?b#c": "a%3Fb%23c", "é ;": "%C3%A9%20%3B",
	} {
		if _, err := client.List(context.Background(), Query{Endpoint: "/policy/alerts", PolicyPath: id}, recent, 0, 1); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(path.Load().(string), "?"); got != "/api%20v1/policy/"+want+"/alerts" {
			t.Errorf("%q: requested %s", id, got)
		}
	}
}

func TestBaseURLs(t *testing.T) {
	for _, text := range []string{"", "ftp://x", "backend.flashback.tech", "https://", "https://user:secret@x", "http://a b/%zz", "://secret"} {
		if _, err := New(Options{BaseURL: text}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
