package apisim

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

var large = sync.OnceValue(func() *Sim {
	return New(Options{Seed: 1, Now: noon, Days: 365, AlertsPerDay: 1_000_000 / 365, NoLog: true})
})

// sink is a response writer that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

func BenchmarkPage(b *testing.B) {
	s := large()
	org := s.Organisation()
	deep := "skip=" + strconv.Itoa(s.Len(Alerts)/2)
	to := "to=" + noon.AddDate(0, -6, 0).Format(time.RFC3339)
	for _, c := range []struct{ name, query, encoding string }{
		{"newest", "", ""},
		{"bounds", to, ""},
		{"skip", deep, ""},
		{"gzip", to, "gzip"},
		{"filtered", "repoId=" + org.Repos[3].ID, ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/policy/alerts?take=100&"+c.query, nil)
			r.Header.Set("Authorization", "Bearer x")
			r.Header.Set("Accept-Encoding", c.encoding)
			b.ReportAllocs()
			for b.Loop() {
				s.Handler().ServeHTTP(&sink{http.Header{}}, r)
			}
		})
	}
}

func BenchmarkStats(b *testing.B) {
	s := large()
	r := httptest.NewRequest(http.MethodGet, "/v2/stats/policies?scope=org&window=365d&timeBucketSize=1h", nil)
	r.Header.Set("Authorization", "Bearer x")
	for b.Loop() {
		s.Handler().ServeHTTP(&sink{http.Header{}}, r)
	}
}

func BenchmarkGrowMillion(b *testing.B) {
	for b.Loop() {
		New(Options{Seed: 1, Now: noon, Days: 100, AlertsPerDay: 10_000})
	}
}
