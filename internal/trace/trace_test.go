package trace

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func options(endpoint string, w *warnings) Options {
	return Options{Endpoint: endpoint, RunID: "r1", Job: "sync", Command: "sync", Version: "v1", Started: noon, Warn: w.add}
}

func TestARunIsShownAsSpans(t *testing.T) {
	c, w := collect(t), &warnings{}
	r := Start(context.Background(), options(c.URL, w))
	r.Request(Request{Endpoint: "/policy/alerts", Status: 503, Started: after(1), Took: time.Second})
	r.Request(Request{Endpoint: "/policy/alerts", Status: 200, Started: after(2), Took: time.Second, Retry: true})
	r.StreamEnded("alerts", Stream{Started: after(1), Ended: after(5), Requests: 2, Received: 100, Inserted: 40, Updated: 2, Rejected: 1, Complete: true})
	r.Request(Request{Endpoint: "/policy/violations", Started: after(6), Took: time.Second})
	r.StreamEnded("violations", Stream{Started: after(6), Ended: after(8), Requests: 1, Err: errBroken})
	r.Published("lake and flashback.duckdb", after(9))
	r.Request(Request{Endpoint: "/policy/alerts", Status: 200, Started: after(9.5), Took: time.Second}) // a verification's
	r.End(context.Background(), Outcome{Ended: after(11), Status: "partial", ExitCode: 5, Err: errBroken})

	request := func(path string, status int, retry bool) map[string]any {
		out := map[string]any{"http.request.method": "GET", "url.template": path, "flashback.retry": retry}
		if status != 0 {
			out["http.response.status_code"] = int64(status)
		}
		return out
	}
	stream := func(name string, requests, received, inserted, updated, rejected int64, complete bool) map[string]any {
		return map[string]any{
			"flashback.stream": name, "flashback.requests": requests, "flashback.rows.received": received,
			"flashback.rows.inserted": inserted, "flashback.rows.updated": updated, "flashback.rows.rejected": rejected, "flashback.complete": complete,
		}
	}
	want := []shown{
		{"sync", "", noon, after(11), map[string]any{
			"flashback.run_id": "r1", "flashback.command": "sync", "flashback.job": "sync", "flashback.version": "v1",
			"flashback.status": "partial", "process.exit.code": int64(5), "flashback.requests.untraced": int64(0),
		}, true, errBroken.Error()},
		{"stream alerts", "sync", after(1), after(5), stream("alerts", 2, 100, 40, 2, 1, true), false, ""},
		{"GET /policy/alerts", "stream alerts", after(1), after(2), request("/policy/alerts", 503, false), true, ""},
		{"GET /policy/alerts", "stream alerts", after(2), after(3), request("/policy/alerts", 200, true), false, ""},
		{"stream violations", "sync", after(6), after(8), stream("violations", 1, 0, 0, 0, 0, false), true, errBroken.Error()},
		{"GET /policy/violations", "stream violations", after(6), after(7), request("/policy/violations", 0, false), true, ""},
		{"publish", "sync", after(8), after(9), map[string]any{"flashback.published": "lake and flashback.duckdb"}, false, ""},
		{"GET /policy/alerts", "sync", after(9.5), after(10.5), request("/policy/alerts", 200, false), false, ""},
	}
	if diff := cmp.Diff(want, c.all()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c.who["service.name"] != "flashback-sync" || c.who["service.version"] != "v1" || c.paths[0] != "/v1/traces" || len(w.all) > 0 {
		t.Errorf("sent by %v to %v, warnings %v", c.who, c.paths, w.all)
	}
}

func TestTheStandardVariablesAreHeeded(t *testing.T) {
	c, w := collect(t), &warnings{}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL+"/base/")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key="+canary)
	t.Setenv("OTEL_SERVICE_NAME", "mine")
	r := Start(context.Background(), options("", w))
	r.End(context.Background(), Outcome{Ended: after(1)})
	if len(c.all()) != 1 || c.paths[0] != "/base/v1/traces" || c.headers.Get("X-Api-Key") != canary || c.who["service.name"] != "mine" || len(w.all) > 0 {
		t.Errorf("%v to %v by %v, warnings %v", c.all(), c.paths, c.who, w.all)
	}
}

func TestEndpoints(t *testing.T) {
	const own, general = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, c := range []struct {
		configured string
		env        map[string]string
		want, name string
	}{
		{},
		{configured: "http://a:4318", want: "http://a:4318/v1/traces", name: "traces.endpoint"},
		{configured: "https://a/otlp/", want: "https://a/otlp/v1/traces", name: "traces.endpoint"},
		{configured: "https://a/v1/traces", want: "https://a/v1/traces", name: "traces.endpoint"},
		{configured: "http://a", env: map[string]string{own: "http://b", general: "http://c"}, want: "http://a/v1/traces", name: "traces.endpoint"},
		{env: map[string]string{own: "http://b/x", general: "http://c"}, want: "http://b/x", name: own},
		{env: map[string]string{general: "http://c/y"}, want: "http://c/y/v1/traces", name: general},
		{env: map[string]string{general: "localhost:4317"}, name: general},
		{env: map[string]string{own: "http://" + canary + "\x7f"}, name: own},
		{env: map[string]string{general: "http://c", "OTEL_TRACES_EXPORTER": "none"}},
		{configured: "http://a", env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
	} {
		t.Run(c.configured, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			if got, name := endpoint(c.configured); got != c.want || name != c.name {
				t.Errorf("%v: %q by %q, want %q by %q", c.env, got, name, c.want, c.name)
			}
		})
	}
}

func TestWithoutAnEndpointNothingHappens(t *testing.T) {
	w := &warnings{}
	r := Start(context.Background(), options("", w))
	r.Request(Request{})
	r.StreamEnded("alerts", Stream{})
	r.Published("x", noon)
	r.End(context.Background(), Outcome{})
	if r != nil || len(w.all) > 0 {
		t.Errorf("%v, %v", r, w.all)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317/"+canary)
	if r := Start(context.Background(), options("", w)); r != nil {
		t.Error("it is traced")
	}
	w.one(t, "OTEL_EXPORTER_OTLP_ENDPOINT is not")
}

func TestRequestsBeyondTheLimitAreCounted(t *testing.T) {
	c, w := collect(t), &warnings{}
	r := Start(context.Background(), options(c.URL, w))
	var all sync.WaitGroup
	for range 16 { // as the workers of a walk
		all.Go(func() {
			for range 100 {
				r.Request(Request{Endpoint: "/policy/alerts", Status: 200, Started: noon, Took: time.Second})
			}
		})
	}
	all.Wait()
	r.StreamEnded("alerts", Stream{Started: noon, Ended: after(2)})
	r.End(context.Background(), Outcome{Ended: after(3)})
	spans := c.all()
	if len(spans) != mostRequests+2 || len(w.all) > 0 {
		t.Fatalf("%d spans, warnings %v", len(spans), w.all)
	}
	for _, s := range spans {
		if s.Name == "sync" && s.Attributes["flashback.requests.untraced"] != int64(600) {
			t.Errorf("the run says %v", s.Attributes)
		}
	}
}

func TestACollectorThatFailsIsWarnedOfOnce(t *testing.T) {
	hang := make(chan struct{})
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"HTTP 401": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, canary+r.URL.String(), http.StatusUnauthorized)
		},
		"it takes none": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			http.Error(w, canary, http.StatusServiceUnavailable)
		},
		"no answer in time": func(_ http.ResponseWriter, r *http.Request) { <-hang },
	} {
		t.Run(name, func(t *testing.T) {
			c, w := collect(t), &warnings{}
			c.answer = func(w http.ResponseWriter, r *http.Request) bool {
				answer(w, r)
				return true
			}
			t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.URL+"/"+canary)
			r := Start(context.Background(), options("", w))
			r.exporter.wait = 500 * time.Millisecond
			for range mostRequests { // several batches
				r.Request(Request{Endpoint: "/policy/alerts", Status: 200, Started: noon, Took: time.Second})
			}
			r.StreamEnded("alerts", Stream{Started: noon, Ended: after(2)})
			began := time.Now()
			r.End(context.Background(), Outcome{Ended: after(3)})
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("the run waited %s", took)
			}
			w.one(t, name)
			if name == "no answer in time" {
				close(hang)
			}
		})
	}
}

func TestACollectorThatIsNotThereCostsNothing(t *testing.T) {
	c, w := collect(t), &warnings{}
	c.Close()
	r := Start(context.Background(), options(c.URL+"/"+canary, w))
	r.exporter.wait = 500 * time.Millisecond
	r.End(context.Background(), Outcome{Ended: after(3)})
	w.one(t, "connection refused")
}

func TestACollectorThatHiccupsGetsEverything(t *testing.T) {
	c, w := collect(t), &warnings{}
	c.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		if c.posts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return c.posts == 1
	}
	r := Start(context.Background(), options(c.URL, w))
	r.End(context.Background(), Outcome{Ended: after(3)})
	if len(c.all()) != 1 || len(w.all) > 0 {
		t.Errorf("%v, warnings %v", c.all(), w.all)
	}
}

func TestAStoppedRunIsShownToo(t *testing.T) {
	c, w := collect(t), &warnings{}
	ctx, cancel := context.WithCancel(context.Background())
	r := Start(ctx, options(c.URL, w))
	cancel()
	r.End(ctx, Outcome{Ended: after(3), Status: "interrupted"})
	if len(c.all()) != 1 || len(w.all) > 0 {
		t.Errorf("%v, warnings %v", c.all(), w.all)
	}
}

// The SDK quotes what it cannot read, unless it is kept from it.
func TestTheSDKPrintsNothing(t *testing.T) {
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(
		os.Environ(), "TRACE_TEST_CHILD=1",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:"+canary+"@127.0.0.1:1/"+canary,
		"OTEL_EXPORTER_OTLP_HEADERS="+canary+",x=%zz"+canary+",b d="+canary,
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS="+canary,
		"OTEL_EXPORTER_OTLP_TIMEOUT="+canary,
		"OTEL_RESOURCE_ATTRIBUTES="+canary,
		"OTEL_TRACES_SAMPLER="+canary,
		"OTEL_BSP_SCHEDULE_DELAY="+canary,
	)
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, strings.ReplaceAll(string(out), canary, "[canary]"))
	}
}
