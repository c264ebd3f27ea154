package trace

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// TestMain is also the process of TestTheSDKPrintsNothing.
func TestMain(m *testing.M) {
	if os.Getenv("TRACE_TEST_CHILD") != "" {
		r := Start(context.Background(), Options{Command: "sync"})
		r.End(context.Background(), Outcome{Ended: time.Now()})
		os.Exit(0)
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			_ = os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// canary stands in every secret, and may stand nowhere else.
const canary = "CANARY7Q"

var (
	noon      = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errBroken = errors.New("GET /policy/alerts: HTTP 503")
)

// after is noon and so many seconds.
func after(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

// receiver is an OTLP collector.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*otlp.Span
	who     map[string]any // the resource
	paths   []string
	headers http.Header
	posts   int
	answer  func(w http.ResponseWriter, r *http.Request) bool // in place of taking the spans
}

func collect(t *testing.T) *receiver {
	t.Helper()
	c := &receiver{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(t, w, r) }))
	t.Cleanup(c.Close)
	return c
}

func (c *receiver) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return // whoever sends has given up
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(content, &request); err != nil {
		t.Errorf("%v: %d bytes are not OTLP", err, len(content))
	}
	c.mu.Lock()
	c.posts++
	answer := c.answer
	c.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths, c.headers = append(c.paths, r.URL.Path), r.Header
	for _, resource := range request.GetResourceSpans() {
		c.who = attributes(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	out, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
	_, _ = w.Write(out)
}

func attributes(list []*common.KeyValue) map[string]any {
	out := map[string]any{}
	for _, a := range list {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.GetKey()] = v.IntValue
		case *common.AnyValue_BoolValue:
			out[a.GetKey()] = v.BoolValue
		}
	}
	return out
}

// shown is a span as a test looks at it.
type shown struct {
	Name, Parent string
	From, To     time.Time
	Attributes   map[string]any
	Failed       bool
	Message      string
}

// all are the spans that arrived, by start and name.
func (c *receiver) all() (out []shown) {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := map[string]string{}
	for _, s := range c.spans {
		names[string(s.GetSpanId())] = s.GetName()
	}
	for _, s := range c.spans {
		out = append(out, shown{
			Name: s.GetName(), Parent: names[string(s.GetParentSpanId())],
			From: time.Unix(0, int64(s.GetStartTimeUnixNano())).UTC(), To: time.Unix(0, int64(s.GetEndTimeUnixNano())).UTC(),
			Attributes: attributes(s.GetAttributes()), Message: s.GetStatus().GetMessage(),
			Failed: s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR,
		})
	}
	slices.SortFunc(out, func(a, b shown) int {
		if d := a.From.Compare(b.From); d != 0 {
			return d
		}
		return strings.Compare(b.Name, a.Name)
	})
	return out
}

// warnings gathers what is warned of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, message)
}

// one checks that there was one warning, that it says why, and that it tells no secret.
func (w *warnings) one(t *testing.T, want string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) != 1 || !strings.Contains(w.all[0], want) || strings.Contains(w.all[0], canary) || strings.Contains(w.all[0], "127.0.0.1") {
		t.Errorf("warnings %q, want one with %q", w.all, want)
	}
}
