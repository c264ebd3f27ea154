package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// pages yields a simulated stream as the API sends it, newest first, each page
// cut into its records. A page is valid until the next one.
func pages(ctx context.Context, sim *apisim.Sim, stream string) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		handler := sim.Handler()
		body := &recorder{header: http.Header{}}
		for skip := 0; skip < sim.Len(apisim.Stream(stream)); skip += 100 {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("/policy/%s?take=100&skip=%d", stream, skip), nil)
			if err != nil {
				yield(nil, err)
				return
			}
			request.Header.Set("Authorization", "Bearer "+token)
			body.Reset()
			handler.ServeHTTP(body, request)
			records, err := recordsOf(body.Bytes())
			if !yield(records, err) || err != nil {
				return
			}
		}
	}
}

// recorder stores an answer's body.
type recorder struct {
	bytes.Buffer
	header http.Header
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}

// recordsOf cuts {"success":true,"alerts":[...],...} into its records.
func recordsOf(body []byte) (records [][]byte, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	for range 5 {
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
	}
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		// The decoder may reuse its own buffer: take the record from the body.
		end := d.InputOffset()
		records = append(records, body[end-int64(len(value)):end])
	}
	return records, nil
}

// batches yields a simulated stream as the program's own Arrow batches.
func batches(ctx context.Context, sim *apisim.Sim, table *schema.Table, rows int) iter.Seq2[*transform.Built, error] {
	return func(yield func(*transform.Built, error) bool) {
		batch := transform.NewBatch(table, nil, memory.DefaultAllocator)
		defer batch.Release()
		flush := func() bool {
			built := batch.Build()
			defer built.Release()
			return built.Rows == 0 || yield(built, nil)
		}
		for page, err := range pages(ctx, sim, table.Name) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, record := range page {
				if batch.Add(record) != transform.Added {
					yield(nil, errors.New("a record was not added to its batch"))
					return
				}
			}
			if batch.Rows() >= rows && !flush() {
				return
			}
		}
		flush()
	}
}
