package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

var silent = log.New(io.Discard, "", 0)

func TestCompressedAnswers(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 5, AlertsPerDay: 80})
	client := dial(t, sim)
	client.http.Transport.(*http.Transport).DisableCompression = false
	if rows, err := readAll(client); err != nil || rows != sim.Len(apisim.Alerts) {
		t.Errorf("%d rows, %v", rows, err)
	}
	sim.Inject(apisim.Fault{Kind: apisim.FaultTruncate})
	wantKind(t, peekAt(client), Unreachable)
}

// TestLargeBodiesAreCut at 64 MB, however they are sent, and cost no more memory.
func TestLargeBodiesAreCut(t *testing.T) {
	const size = 100 << 20
	piece := []byte(strings.Repeat(" ", 1<<20))
	var sent atomic.Int64
	announced := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if announced.Load() {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		for n := 0; n < size; n += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
			sent.Add(int64(len(piece)))
		}
	}))
	defer server.Close()
	bomb := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var member bytes.Buffer
		z := gzip.NewWriter(&member)
		_, _ = z.Write(piece)
		_ = z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		for range 4 << 10 { // members of one stream, of 1 MB each
			if _, err := w.Write(member.Bytes()); err != nil {
				return
			}
		}
	}))
	defer bomb.Close()
	for _, c := range []struct {
		name, url string
		announced bool
		most      int64 // bytes sent
	}{{"100 MB", server.URL, false, maxBody + 20<<20}, {"100 MB, announced", server.URL, true, 20 << 20}, {"gzip bomb", bomb.URL, false, 20 << 20}} {
		t.Run(c.name, func(t *testing.T) {
			announced.Store(c.announced)
			already := sent.Load()
			client := dialURL(t, c.url)
			client.http.Transport.(*http.Transport).DisableCompression = false
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := wantKind(t, peekAt(client), OffContract)
			runtime.ReadMemStats(&after)
			if client.Requests() != 1 || !strings.Contains(err.Error(), "larger than 64 MB") {
				t.Errorf("%d requests, %v", client.Requests(), err)
			}
			if total := sent.Load() - already; total > c.most {
				t.Errorf("%d MB were sent", total>>20)
			}
			// A slice that grows to 64 MB has been several that were smaller.
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 8*maxBody {
				t.Errorf("%d MB allocated", grown>>20)
			}
		})
	}
}

// TestAnnouncedLengthsAreNotBelieved: nothing is set aside for what may not come.
func TestAnnouncedLengthsAreNotBelieved(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(maxBody-1))
		_, _ = w.Write([]byte("{"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	client := dialURL(t, server.URL)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantKind(t, peekAt(client), Unreachable)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("%d MB allocated", grown>>20)
	}
}

// TestErrorBodiesDoNotMatter: the status says what it is, whatever becomes of
// the body.
func TestErrorBodiesDoNotMatter(t *testing.T) {
	for name, write := range map[string]func(http.ResponseWriter, *http.Request){
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		},
		"hung": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("no"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("no"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		for status, c := range map[int]struct {
			kind     Kind
			requests int64
		}{400: {Refused, 1}, 401: {Unauthorized, 1}, 404: {NotFound, 1}, 503: {Unreachable, 4}} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(status)
					write(w, r)
				}))
				defer server.Close()
				client := dialURL(t, server.URL, func(o *Options) { o.Idle = 50 * time.Millisecond })
				if failure := wantKind(t, peekAt(client), c.kind); failure.Status != status || client.Requests() != c.requests {
					t.Errorf("%d requests, %v", client.Requests(), failure)
				}
			})
		}
	}
}

// TestAnswersAreShownOnRequest as one short clean line without the token, and the
// error quotes nothing of it.
func TestAnswersAreShownOnRequest(t *testing.T) {
	page := "<html>\r\n\t<title>502\x00 Bad\u202e Gateway</title> for secret\x1b[31m" + strings.Repeat("é", 5000)
	for _, status := range []int{200, 404, 502} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(page))
		}))
		var shown []string
		err := peekAt(dialURL(t, server.URL, func(o *Options) { o.ShowAnswer = func(text string) { shown = append(shown, text) } }))
		server.Close()
		if strings.Contains(err.Error(), "Gateway") || !strings.Contains(err.Error(), "starts like HTML") {
			t.Errorf("%d: %v", status, err)
		}
		want := fmt.Sprintf("GET /policy/alerts: HTTP %d: the answer begins: <html> <title>502 Bad Gateway</title> for [token] [31m", status)
		if len(shown) == 0 || !strings.HasPrefix(shown[0], want) || len(shown[0]) > 300 || strings.ContainsAny(shown[0], "\r\n\t\x00\x1b\u202e\ufffd") {
			t.Errorf("%d: %q", status, shown)
		}
	}
}

// TestSlowButAliveIsWaitedFor: bytes that keep coming are not idle.
func TestSlowButAliveIsWaitedFor(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 2, AlertsPerDay: 100})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		sim.Handler().ServeHTTP(answer, r)
		for piece := range slices.Chunk(answer.Body.Bytes(), 4000) {
			_, _ = w.Write(piece)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}))
	defer server.Close()
	client := dialURL(t, server.URL, func(o *Options) { o.Idle = 250 * time.Millisecond })
	page, err := client.List(context.Background(), anyPage, Bounds{To: MaxBound}, 0, 100)
	if err != nil || client.Requests() != 1 || len(page.Rows) != 100 {
		t.Errorf("%d requests, %v", client.Requests(), err)
	}
}

func TestDefaultTimeouts(t *testing.T) {
	for _, c := range []struct{ timeout, idle, wantTimeout, wantIdle time.Duration }{
		{0, 0, 30 * time.Second, 10 * time.Second},
		{5 * time.Second, 0, 5 * time.Second, 5 * time.Second},
		{time.Minute, time.Hour, time.Minute, time.Minute},
		{time.Minute, time.Second, time.Minute, time.Second},
	} {
		client, err := New(Options{BaseURL: "http://x", Timeout: c.timeout, Idle: c.idle})
		if err != nil || client.options.Timeout != c.wantTimeout || client.options.Idle != c.wantIdle {
			t.Errorf("%+v: %v, %v", c, client.options, err)
		}
	}
}
