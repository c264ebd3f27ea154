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

func TestManyRequestsAtOnceAreRefused(t *testing.T) {
	for _, path := range []string{"/", "/status.json", "/readyz"} {
		var answered, refused atomic.Int64
		turned, goOn := make(chan struct{}, 300), make(chan struct{})
		o := options()
		o.Status = func(context.Context) (*status.Status, error) {
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
		for range 300 - mostRequests {
			<-turned // those are refused at once, while the others wait
		}
		if w := request(o, http.MethodGet, "/healthz"); w.Code != http.StatusOK {
			t.Errorf("healthz: %d", w.Code)
		}
		close(goOn)
		all.Wait()
		if answered.Load() != mostRequests || refused.Load() != 300-mostRequests {
			t.Errorf("GET %s: %d answered, %d refused", path, answered.Load(), refused.Load())
		}
	}
}
