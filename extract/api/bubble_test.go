package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// answerFunc is a transport without a network, for the simulated time of a bubble.
type answerFunc func(*http.Request) *http.Response

func (f answerFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// inBubble is a client whose answers come from a function, for simulated time.
func inBubble(t *testing.T, answer func(w *httptest.ResponseRecorder, r *http.Request), change ...func(*Options)) *Client {
	t.Helper()
	options := Options{
		BaseURL: "http://x", MaxConcurrency: 4, Retries: 5, Backoff: time.Second,
		Token: func(context.Context) (string, error) { return "secret", nil },
	}
	for _, c := range change {
		c(&options)
	}
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	client.http.Transport = answerFunc(func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		answer(w, r)
		response := w.Result()
		response.ContentLength = -1
		return response
	})
	return client
}

const emptyPage = `{"success":true,"alerts":[],"violations":[],"series":[],"total":0}`

func healthy(w *httptest.ResponseRecorder, _ *http.Request) { _, _ = w.WriteString(emptyPage) }

func failing(status int) func(*httptest.ResponseRecorder, *http.Request) {
	return func(w *httptest.ResponseRecorder, _ *http.Request) { w.WriteHeader(status) }
}

// requestStats requests the statistics endpoint.
func requestStats(c *Client) error {
	_, err := c.Stats(context.Background(), StatsQuery{Endpoint: "/v2/stats/policies", Scope: "org"})
	return err
}
