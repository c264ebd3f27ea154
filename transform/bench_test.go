package transform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// pages are full pages of distinct alerts as the API sends them, cut into
// records. size is that of an average page.
func pages(tb testing.TB, count int) (pages [][][]byte, size int64) {
	tb.Helper()
	sim := apisim.New(apisim.Options{Seed: 1, Days: 10, AlertsPerDay: 20 * count})
	for i := range count {
		request := httptest.NewRequest("GET", fmt.Sprintf("/policy/alerts?take=100&skip=%d", 100*i), nil)
		request.Header.Set("Authorization", "Bearer x")
		answer := httptest.NewRecorder()
		sim.Handler().ServeHTTP(answer, request)
		var body struct{ Alerts []json.RawMessage }
		if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || len(body.Alerts) != 100 {
			tb.Fatalf("%d alerts, %v", len(body.Alerts), err)
		}
		var records [][]byte
		for _, record := range body.Alerts {
			records, size = append(records, record), size+int64(len(record))
		}
		pages = append(pages, records)
	}
	return pages, size / int64(count)
}

// BenchmarkDecodePage is the whole way of a page of 100 raw records to Arrow, in
// batches of 5,000 rows. Compare it with BenchmarkReadTokens, which is what no
// decoder of the same library can be below.
func BenchmarkDecodePage(b *testing.B) {
	pages, size := pages(b, 50)
	batch := transform.NewBatch(schema.Alerts(), nil, memory.DefaultAllocator)
	defer batch.Release()
	b.SetBytes(size)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for _, record := range pages[n%len(pages)] {
			if batch.Add(record) != transform.Added {
				b.Fatal("not added")
			}
		}
		if n%len(pages) == len(pages)-1 {
			batch.Build().Release()
		}
	}
}

func BenchmarkReadTokens(b *testing.B) {
	pages, size := pages(b, 50)
	var decoder jsontext.Decoder
	var source bytes.Reader
	b.SetBytes(size)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for _, record := range pages[n%len(pages)] {
			source.Reset(record)
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
}
