package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// fullPages are bodies of full pages as the API sends them.
func fullPages(tb testing.TB, count int) (bodies [][]byte) {
	tb.Helper()
	sim := apisim.New(apisim.Options{Seed: 1, Days: 10, AlertsPerDay: 20 * count})
	for i := range count {
		request := httptest.NewRequest("GET", fmt.Sprintf("/policy/alerts?take=100&skip=%d", 100*i), nil)
		request.Header.Set("Authorization", "Bearer x")
		answer := httptest.NewRecorder()
		sim.Handler().ServeHTTP(answer, request)
		bodies = append(bodies, answer.Body.Bytes())
	}
	return bodies
}

// BenchmarkParsePage finds the records of a page, and their ids and times. Compare
// it with BenchmarkReadPageTokens, which is what reading the JSON of a page costs.
func BenchmarkParsePage(b *testing.B) {
	bodies := fullPages(b, 50)
	b.SetBytes(int64(len(bodies[0])))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		page, err := parsePage(bodies[n%len(bodies)], "alerts")
		if err != nil || len(page.Rows) != MaxTake {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadPageTokens(b *testing.B) {
	bodies := fullPages(b, 50)
	var decoder jsontext.Decoder
	var source bytes.Reader
	b.SetBytes(int64(len(bodies[0])))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		source.Reset(bodies[n%len(bodies)])
		decoder.Reset(&source, jsontext.AllowDuplicateNames(true))
		for {
			if _, err := decoder.ReadToken(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
