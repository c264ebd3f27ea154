package apisim

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestToken(t *testing.T) {
	s := New(Options{Token: "secret"})
	status := func(header string) int {
		r := httptest.NewRequest(http.MethodGet, "/policy/alerts", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for header, want := range map[string]int{
		"Bearer secret": 200, "": 401, "Bearer ": 401, "Bearer other": 401, "Basic secret": 401, "secret": 401,
	} {
		if got := status(header); got != want {
			t.Errorf("%q: status %d, want %d", header, got, want)
		}
	}
	s.SetToken("other")
	if status("Bearer other") != 200 || status("Bearer secret") != 401 {
		t.Error("the token was not changed")
	}
	s.SetToken("")
	if status("Bearer anything") != 200 || status("") != 401 {
		t.Error("any token must do, but there must be one")
	}
	get[map[string]any](t, New(Options{Token: "another"}), "/v2/stats/policies?scope=org&window=24h", 401)
}

func TestDateHeader(t *testing.T) {
	s := New(Options{Now: noon})
	url, client := dial(t, s)
	date := func(m Semantics) string {
		s.SetSemantics(m)
		response, err := client.Get(url + "/policy/alerts")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return strings.Join(response.Header.Values("Date"), "|")
	}
	if got := date(Semantics{}); got != "Wed, 18 Mar 2026 12:34:56 GMT" {
		t.Errorf("date %q", got)
	}
	if got := date(Semantics{DateSkew: -time.Hour}); got != "Wed, 18 Mar 2026 11:34:56 GMT" {
		t.Errorf("skewed date %q", got)
	}
	if got := date(Semantics{NoDate: true}); got != "" {
		t.Errorf("date %q though switched off", got)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	s := New(small())
	for _, target := range []string{"/", "/policy", "/policy/", "/policy//alerts", "/policy/x/y/alerts", "/v2/stats", "/v1/stats/policies", "/policy/alerts/"} {
		response := request(t, s, target)
		if response.StatusCode != 404 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, %s", target, response.StatusCode, response.Header.Get("Content-Type"))
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/policy/alerts", nil)
	r.Header.Set("Authorization", "Bearer x")
	if s.Handler().ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
}

func TestProductionHasNoViolations(t *testing.T) {
	options := small()
	options.Semantics.NoViolations = true
	s := New(options)
	for target, want := range map[string]int{
		"/policy/violations": 404, "/policy/" + s.Organisation().Policies[0].ID + "/violations": 404,
		"/policy/alerts": 200, "/v2/stats/policies?scope=org&window=24h": 200,
	} {
		if got := request(t, s, target).StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", target, got, want)
		}
	}
}

func TestGzip(t *testing.T) {
	s := New(small())
	url, client := dial(t, s)
	response, err := client.Get(url + "/policy/alerts?take=100")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body := text(t, response)
	if !response.Uncompressed || body != text(t, request(t, s, "/policy/alerts?take=100")) {
		t.Errorf("compressed: %v, %d bytes", response.Uncompressed, len(body))
	}
	plain := request(t, s, "/policy/alerts?take=100")
	if plain.Header.Get("Content-Encoding") != "" {
		t.Error("compressed although nobody wants it")
	}
}

func TestRequestLog(t *testing.T) {
	s := New(small())
	request(t, s, "/policy/alerts?take=5&page=2")
	request(t, s, "/policy/a%2Fb/violations")
	request(t, s, "/nowhere")
	got := s.Requests()
	if len(got) != 3 || got[0].Query.Get("take") != "5" || got[0].Unknown[0] != "page" || got[0].Status != 200 ||
		got[0].Stream != Alerts {
		t.Errorf("log %+v", got)
	}
	if got[1].Path != "/policy/a%2Fb/violations" || got[1].Status != 404 {
		t.Errorf("second entry %+v", got[1])
	}
	if got[2].Stream != "" || got[2].Status != 404 {
		t.Errorf("third entry %+v", got[2])
	}
	s.ResetRequests()
	if request(t, s, "/policy/alerts"); len(s.Requests()) != 1 || s.RequestCount() != 4 {
		t.Errorf("%d entries, %d requests", len(s.Requests()), s.RequestCount())
	}
	silent := New(Options{NoLog: true})
	if request(t, silent, "/policy/alerts"); len(silent.Requests()) != 0 || silent.RequestCount() != 1 {
		t.Error("the log is not off")
	}
}

func TestLatencyHasTheMean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Semantics: Semantics{Latency: 100 * time.Millisecond}})
		begin := time.Now()
		for range 400 {
			request(t, s, "/policy/alerts")
		}
		if mean := time.Since(begin) / 400; mean < 80*time.Millisecond || mean > 120*time.Millisecond {
			t.Errorf("mean latency %v", mean)
		}
	})
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	s := New(small())
	url, client := dial(t, s)
	s.SetOnRequest(func(_ *http.Request, n int) {
		s.Delete(Alerts, s.AddAlerts(s.NewRow(Alerts, s.Now(), n))...)
	})
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 4 {
				for _, target := range []string{"/policy/alerts?take=100&skip=" + strconv.Itoa(i), "/policy/violations?llmType=AWS", "/v2/stats/policies?scope=org&window=7d"} {
					if status, _, err := fetch(t, client, url+target); status != 200 || err != nil {
						t.Errorf("status %d, %v", status, err)
					}
				}
				s.Advance(time.Minute)
				s.SetSemantics(Semantics{ShuffleTies: worker%2 == 0})
				s.Requests()
			}
		})
	}
	group.Wait()
}
