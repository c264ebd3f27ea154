package apisim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC) // a Wednesday

// small is an organisation of some thousand rows.
func small() Options {
	return Options{Seed: 7, Now: noon, Days: 20, AlertsPerDay: 120, ViolationsPerDay: 60}
}

// page is a list answer as a client sees it.
type page struct {
	Success    bool      `json:"success"`
	Alerts     []wireRow `json:"alerts"`
	Violations []wireRow `json:"violations"`
	Total      int       `json:"total"`
	Skip       int       `json:"skip"`
	Take       int       `json:"take"`
	Message    *string   `json:"message"`
}

func (p page) rows() []wireRow { return append(p.Alerts, p.Violations...) }

func (p page) ids() []string { return idsOf(p.rows(), func(r wireRow) string { return r.ID }) }

// wireRow is a row as it is sent: its time is a text.
type wireRow struct {
	Row
	Timestamp string `json:"timestamp"`
}

func (w *wireRow) row(t *testing.T) Row {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, w.Timestamp)
	if err != nil {
		t.Fatal(err)
	}
	row := w.Row
	row.Timestamp = at.UTC()
	return row
}

func idsOf[T any](rows []T, id func(T) string) []string {
	out := make([]string, 0, len(rows))
	for _, row := range rows {
		out = append(out, id(row))
	}
	return out
}

// ask sends a request straight to the handler.
func request(t *testing.T, s *Sim, target string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// get expects the status and decodes the answer into a T.
func get[T any](t *testing.T, s *Sim, target string, status int) (answer T) {
	t.Helper()
	response := request(t, s, target)
	body := text(t, response)
	excerpt := body[:min(len(body), 300)]
	if response.StatusCode != status {
		t.Fatalf("GET %s: status %d, want %d: %s", target, response.StatusCode, status, excerpt)
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("GET %s: %v in %s", target, err, excerpt)
	}
	return answer
}

// dial makes a client whose connections end with the test.
func dial(t *testing.T, s *Sim) (url string, client *http.Client) {
	t.Helper()
	url, stop := s.Start()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
	})
	return url, &http.Client{
		Transport:     authorising{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type authorising struct{ next http.RoundTripper }

func (a authorising) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer secret")
	return a.next.RoundTrip(r)
}
