package notify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// TestMain is also the other process of TestTwoProcessesNotifyOnce.
func TestMain(m *testing.M) {
	if url := os.Getenv("ALARM_TEST_WEBHOOK"); url != "" {
		a := New(Options{DataDir: os.Getenv("ALARM_TEST_DIR"), WebhookURL: url})
		if err := a.ended(context.Background(), failed(1)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// canary is in every URL, and may be in no error.
const canary = "CANARY7Q"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is noon and so many hours.
func at(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }

func run(job, status string, hours float64) journal.Run {
	return journal.Run{
		RunID: "0195f000-0000-7000-8000-000000000001", Command: "sync", Job: job, Status: status,
		StartedAt: at(hours).Add(-90 * time.Second), FinishedAt: at(hours),
	}
}

func failed(hours float64) journal.Run {
	r := run("sync", journal.Failed, hours)
	r.ExitCode, r.Error, r.Hint = 5, "GET /policy/alerts: HTTP 503", "check api.base_url and the network"
	return r
}

// received is a request that arrived.
type received struct {
	method, path, query, kind, body string
}

// receiver is a monitor or a webhook; answer may take its place at the n-th request.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []received
	answer func(w http.ResponseWriter, r *http.Request, n int)
}

func listen(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.all = append(r.all, received{request.Method, request.URL.Path, request.URL.RawQuery, request.Header.Get("Content-Type"), string(body)})
		n := len(r.all)
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(w, request, n)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.all
	r.all = nil
	return out
}

func answers(code int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) { http.Error(w, r.URL.String(), code) }
}

func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}

// notifier is one at so many hours, of all streams; it does not wait between tries.
func notifier(hours float64, o Options) *Notifier {
	if o.Streams == nil {
		o.Streams = status.StreamNames()
	}
	a := New(o)
	a.now, a.sender.pause = func() time.Time { return at(hours) }, time.Millisecond
	return a
}

func noCanary(t *testing.T, err error) {
	t.Helper()
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, canary) || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the error contains the URL: %s", text)
	}
}
