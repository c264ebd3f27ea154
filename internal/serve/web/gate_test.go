package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/status"
)

func TestManyRequestsAtOnceAreAnsweredAFewAtATime(t *testing.T) {
	for path, most := range map[string]int64{"/": mostPages, "/status.json": mostPages, "/readyz": mostStrangers} {
		var busy, busiest, answered, refused atomic.Int64
		turned, goOn := make(chan struct{}, 300), make(chan struct{})
		o := options()
		o.Status = func(context.Context) (*status.Status, error) {
			defer busy.Add(-1)
			if n := busy.Add(1); n > busiest.Load() {
				busiest.Store(n)
			}
			<-goOn
			return &status.Status{}, nil
		}
		handler := Handler(o)
		var all sync.WaitGroup
		for range 300 {
			all.Go(func() {
				r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
				r.Host = "localhost"
				handler.ServeHTTP(w, r)
				switch {
				case w.Code == http.StatusOK:
					answered.Add(1)
				case w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "":
					refused.Add(1)
					turned <- struct{}{}
				default:
					t.Errorf("GET %s: %d", path, w.Code)
				}
			})
		}
		for range 300 - most {
			<-turned // those are told at once, while the others wait
		}
		if w := ask(o, http.MethodGet, "/healthz"); w.Code != http.StatusOK {
			t.Errorf("healthz: %d", w.Code)
		}
		close(goOn)
		all.Wait()
		if answered.Load() != most || refused.Load() != 300-most || busiest.Load() > mostWork {
			t.Errorf("GET %s: %d answered, %d refused, %d at once", path, answered.Load(), refused.Load(), busiest.Load())
		}
	}
}

func TestWhoGoesAwayKeepsNoPlace(t *testing.T) {
	g := newGate(1)
	g.working <- struct{}{}
	g.working <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.work(gone, func() error { t.Error("it was done"); return nil }); err == nil {
		t.Error("no error")
	}
}
