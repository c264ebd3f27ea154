package apisim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fetch sends a request over a real connection. The error is that of the request, otherwise
// that of reading the body.
func fetch(t *testing.T, client *http.Client, url string) (status int, body string, err error) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

func TestFaultsOnTheConnection(t *testing.T) {
	s := New(small())
	url, client := dial(t, s)
	for _, c := range []struct {
		name   string
		fault  Fault
		status int // 0: no headers arrive
		bytes  int // of the body, at least
		err    error
	}{
		{"reset half-way", Fault{Kind: FaultReset}, 200, 0, syscall.ECONNRESET},
		{"reset before headers", Fault{Kind: FaultReset, AfterBytes: -1}, 0, 0, syscall.ECONNRESET},
		{"cut half-way", Fault{Kind: FaultTruncate}, 200, 1000, io.ErrUnexpectedEOF},
		{"cut after ten bytes", Fault{Kind: FaultTruncate, AfterBytes: 10}, 200, 10, io.ErrUnexpectedEOF},
		{"cut before headers", Fault{Kind: FaultTruncate, AfterBytes: -1}, 0, 0, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer s.Inject(c.fault)()
			status, body, err := fetch(t, client, url+"/policy/alerts")
			if status != c.status || len(body) < c.bytes || !errors.Is(err, c.err) {
				t.Errorf("status %d, %d bytes, error %v", status, len(body), err)
			}
		})
	}
	if status, _, err := fetch(t, client, url+"/policy/alerts"); status != 200 || err != nil {
		t.Errorf("after removing the faults: %d, %v", status, err)
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	for _, after := range []int{-1, 20} {
		s := New(small())
		url, client := dial(t, s)
		s.Inject(Fault{Kind: FaultHang, AfterBytes: after})
		ctx, cancel := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/policy/alerts", nil)
		if err != nil {
			t.Fatal(err)
		}
		arrived := make(chan struct{})
		s.SetOnRequest(func(*http.Request, int) { close(arrived) })
		done := make(chan error)
		go func() {
			response, err := client.Do(r)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			done <- err
		}()
		<-arrived
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
}

// stop ends hanging requests too; goleak sees what it leaves behind.
func TestStopEndsHangingRequests(t *testing.T) {
	s := New(small())
	url, stop := s.Start()
	s.Inject(Fault{Kind: FaultHang, AfterBytes: -1})
	arrived := make(chan struct{})
	s.SetOnRequest(func(*http.Request, int) { close(arrived) })
	done := make(chan error)
	go func() {
		_, _, err := fetch(t, &http.Client{Transport: authorising{&http.Transport{DisableKeepAlives: true}}}, url+"/policy/alerts")
		done <- err
	}()
	<-arrived
	stop()
	stop()
	if err := <-done; err == nil {
		t.Error("the request succeeded")
	}
}

func TestFaultsInTheAnswer(t *testing.T) {
	s := New(small())
	url, client := dial(t, s)
	for _, c := range []struct {
		name     string
		fault    Fault
		status   int
		contains string
		valid    bool // JSON
	}{
		{"status", Fault{Kind: FaultStatus, Status: 503, Header: http.Header{"Retry-After": {"7"}}}, 503, `"success":false,"alerts":[],`, true},
		{"status and body", Fault{Kind: FaultStatus, Status: 418, Body: "teapot"}, 418, "teapot", false},
		{"not success", Fault{Kind: FaultStatus, Status: 200}, 200, `"success":false`, true},
		{"unauthorized", Fault{Kind: FaultStatus, Status: 401}, 401, "Unauthorized", true},
		{"no status", Fault{Kind: FaultStatus}, 500, "Internal Server Error", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer s.Inject(c.fault)()
			status, body, err := fetch(t, client, url+"/policy/alerts")
			if err != nil || status != c.status || !strings.Contains(body, c.contains) {
				t.Errorf("status %d, error %v: %.200s", status, err, body)
			}
			if json.Valid([]byte(body)) != c.valid {
				t.Errorf("valid JSON: %v: %.100s", !c.valid, body)
			}
			requests := s.Requests()
			if last := requests[len(requests)-1]; last.Status != c.status {
				t.Errorf("logged with status %d", last.Status)
			}
		})
	}
}

func TestRulesHitTheRightRequests(t *testing.T) {
	hits := func(f Fault) (pattern string) {
		s := New(Options{Seed: 11})
		f.Kind, f.Status = FaultStatus, 403
		s.Inject(f)
		for i := range 12 {
			target := "/policy/alerts"
			if i%2 == 1 {
				target = "/policy/violations"
			}
			if request(t, s, target).StatusCode == http.StatusForbidden {
				pattern += "x"
			} else {
				pattern += "."
			}
		}
		return pattern
	}
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{Fault{}, "xxxxxxxxxxxx"},
		{Fault{Count: 2}, "xx.........."},
		{Fault{From: 3, Count: 2}, "..xx........"},
		{Fault{Every: 5}, "x....x....x."},
		{Fault{From: 2, Every: 3, Count: 2}, ".x..x......."},
		{Fault{Stream: Alerts, From: 2, Count: 2}, "..x.x......."},
		{Fault{Stream: Violations, Every: 2}, ".x...x...x.."},
		{Fault{Match: func(r *http.Request) bool { return r.URL.Path != "/policy/alerts" }}, ".x.x.x.x.x.x"},
		{Fault{Stream: PolicyStats}, "............"},
	} {
		if got := hits(c.fault); got != c.want {
			t.Errorf("%+v hits %s, want %s", c.fault, got, c.want)
		}
	}
	random := hits(Fault{Probability: 0.5})
	if n := strings.Count(random, "x"); n == 0 || n == 12 || random != hits(Fault{Probability: 0.5}) {
		t.Errorf("by chance: %s, then %s", random, hits(Fault{Probability: 0.5}))
	}
}

func TestFirstRuleWinsAndOthersWait(t *testing.T) {
	s := New(Options{})
	s.Inject(Fault{Kind: FaultStatus, Status: 403, Count: 1})
	s.Inject(Fault{Kind: FaultStatus, Status: 502, Count: 1})
	var got []int
	for range 3 {
		got = append(got, request(t, s, "/policy/alerts").StatusCode)
	}
	if got[0] != 403 || got[1] != 502 || got[2] != 200 {
		t.Errorf("statuses %v", got)
	}
	s.Inject(Fault{Kind: FaultStatus, Status: 403})
	s.ClearFaults()
	if status := request(t, s, "/policy/alerts").StatusCode; status != 200 {
		t.Errorf("status %d after clearing", status)
	}
}

// Without a connection of its own the handler still drops it, by net/http's means.
func TestFaultsUnderAForeignServer(t *testing.T) {
	s := New(small())
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	client := &http.Client{Transport: authorising{&http.Transport{DisableKeepAlives: true}}, Timeout: time.Minute}
	s.Inject(Fault{Kind: FaultReset})
	if _, _, err := fetch(t, client, server.URL+"/policy/alerts"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}
