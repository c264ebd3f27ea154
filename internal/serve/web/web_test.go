package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

func options() Options {
	return Options{
		User:    "flashback",
		Status:  func(context.Context) (*status.Status, error) { return &status.Status{Version: "v1"}, nil },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metric 1\n") }),
		Alive:   func() error { return nil },
		Crashed: func(string) {},
	}
}

func request(o Options, method, url string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, r)
	return w
}

func login(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func TestWithoutAPasswordOnlyThisMachineIsAnswered(t *testing.T) {
	for host, want := range map[string]int{
		"localhost:8417": 200, "LOCALHOST": 200, "127.0.0.1:8417": 200, "127.9.9.9": 200, "[::1]:8417": 200, "[::1]": 200,
		"evil.example.com": 421, "evil.example.com:8417": 421, "10.0.0.1:8417": 421, "localhost.evil.example.com": 421, "": 421,
	} {
		for _, path := range []string{"/", "/metrics", "/status.json"} {
			if got := request(options(), "GET", path, func(r *http.Request) { r.Host = host }).Code; got != want {
				t.Errorf("%s of %q: got %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestWithAPasswordOnlyThoseWhoKnowItAreAnswered(t *testing.T) {
	o := options()
	o.Password = "s3cret"
	for name, test := range map[string]struct {
		change []func(*http.Request)
		want   int
	}{
		"nobody":         {nil, 401},
		"wrong password": {[]func(*http.Request){login("flashback", "s3cre")}, 401},
		"wrong user":     {[]func(*http.Request){login("root", "s3cret")}, 401},
		"empty":          {[]func(*http.Request){login("", "")}, 401},
		"right":          {[]func(*http.Request){login("flashback", "s3cret")}, 200},
	} {
		for _, path := range []string{"/", "/metrics", "/status.json"} {
			w := request(o, "GET", path, test.change...)
			if w.Code != test.want {
				t.Errorf("%s: %s: got %d, want %d", name, path, w.Code, test.want)
			}
			if strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("%s: the password is in the answer", name)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := request(o, "GET", path, test.change...).Code; got != 200 {
				t.Errorf("%s: %s: got %d, want 200", name, path, got)
			}
		}
	}
}

func TestProbesSayWhetherAllIsWellAndNothingElse(t *testing.T) {
	dead := options()
	dead.Alive = func() error { return errors.New("SECRET cause") }
	unreadable := options()
	unreadable.Status = func(context.Context) (*status.Status, error) {
		return &status.Status{HoldingsError: "SECRET cause"}, nil
	}
	for _, test := range []struct {
		path string
		o    Options
		want int
	}{
		{"/healthz", options(), 200},
		{"/readyz", options(), 200},
		{"/healthz", dead, 503},
		{"/readyz", dead, 503},
		{"/healthz", unreadable, 200},
		{"/readyz", unreadable, 503},
	} {
		w := request(test.o, "GET", test.path)
		if w.Code != test.want || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s: got %d %q, want %d", test.path, w.Code, w.Body, test.want)
		}
	}
}

func TestNoRequestChangesAnything(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		for _, path := range []string{"/", "/metrics", "/healthz", "/status.json"} {
			if got := request(options(), method, path, func(r *http.Request) { r.Host = "localhost" }).Code; got < 400 {
				t.Errorf("%s %s: got %d, want a refusal", method, path, got)
			}
		}
	}
	if got := request(options(), "GET", "/../etc/passwd", func(r *http.Request) { r.Host = "localhost" }).Code; got == 200 {
		t.Error("there is more than is served")
	}
}

func TestEveryAnswerHasItsPolicy(t *testing.T) {
	for _, path := range []string{"/", "/metrics", "/status.json", "/healthz", "/nowhere"} {
		w := request(options(), "GET", path, func(r *http.Request) { r.Host = "localhost" })
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || (path == "/") != strings.Contains(policy, "style-src") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
	}
}

func TestThePageHasItsForms(t *testing.T) {
	for path, want := range map[string]string{"/": "Pause", "/?refresh=off": "Resume", "/?refresh=5": "Pause", "/report.html": "This file needs no network"} {
		w := request(options(), "GET", path, func(r *http.Request) { r.Host = "localhost" })
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: no %q", path, want)
		}
		if file := w.Header().Get("Content-Disposition") != ""; file != (path == "/report.html") {
			t.Errorf("%s: to keep: %v", path, file)
		}
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:8417": true, "[::1]:1": true, "localhost:80": true, "127.5.5.5:1": true, "[::ffff:127.0.0.1]:1": true,
		":8417": false, "0.0.0.0:8417": false, "[::]:8417": false, "10.0.0.1:1": false, "example.com:1": false, "nonsense": false,
	} {
		if got := Loopback(listen); got != want {
			t.Errorf("%q: got %v", listen, got)
		}
	}
}

func TestARequestThatPanicsIsReportedWithoutItsValue(t *testing.T) {
	o := options()
	trace := ""
	o.Crashed = func(text string) { trace = text }
	o.Status = func(context.Context) (*status.Status, error) { panic("Ada Lovelace") }
	w := request(o, "GET", "http://localhost/")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String()+trace, "Lovelace") || !strings.Contains(trace, "web_test.go:") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, trace)
	}
	if w := request(o, "GET", "http://localhost/healthz"); w.Code != http.StatusOK {
		t.Errorf("the next request: %d", w.Code)
	}
}
