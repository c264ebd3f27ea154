package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// records are those of a page of a simulated stream, as the API sends it, newest first.
func records(ctx context.Context, sim *apisim.Sim, stream string, skip int) ([]json.RawMessage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("/policy/%s?take=100&skip=%d", stream, skip), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	sim.Handler().ServeHTTP(answer, request)
	var page struct{ Alerts, Violations []json.RawMessage }
	err = json.Unmarshal(answer.Body.Bytes(), &page)
	return append(page.Alerts, page.Violations...), err
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
		for skip := 0; skip < sim.Len(apisim.Stream(table.Name)); skip += 100 {
			page, err := records(ctx, sim, table.Name, skip)
			for _, record := range page {
				if err == nil && batch.Add(record) != transform.Added {
					err = errors.New("a record was not added to its batch")
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if batch.Rows() >= rows && !flush() {
				return
			}
		}
		flush()
	}
}
