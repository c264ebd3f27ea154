package apisim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// A server whose clock does not move, that drops every third request with a 503
// and lets rows arrive while its pages are read.
func Example() {
	s := apisim.New(apisim.Options{
		Seed: 1, Now: time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC), Days: 7, AlertsPerDay: 100, Token: "secret",
	})
	s.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 503, From: 3, Every: 3})
	s.SetOnRequest(func(_ *http.Request, n int) {
		s.AddAlerts(s.NewRow(apisim.Alerts, s.Now(), n))
	})
	for range 4 {
		r := httptest.NewRequest(http.MethodGet, "/policy/alerts?take=100", nil)
		r.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Date"))
	}
	fmt.Println(len(s.Requests()), "requests")
	// Output:
	// 200 Wed, 18 Mar 2026 12:00:00 GMT
	// 200 Wed, 18 Mar 2026 12:00:00 GMT
	// 503 Wed, 18 Mar 2026 12:00:00 GMT
	// 200 Wed, 18 Mar 2026 12:00:00 GMT
	// 4 requests
}
