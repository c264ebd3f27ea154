package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	gosync "sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// committedRows and memoryLimit are the program's: so many rows make a commit, and
// so much memory is DuckDB's.
const (
	committedRows = 122_880
	memoryLimit   = "96MB"
)

// insertSpec is the floor of committing: the same rows, ready in Arrow batches,
// inserted into a file that nothing is compared with.
type insertSpec struct {
	Organisation serveSpec
	Path         string
}

// insert is the process that inserts. It writes what that took.
func insert(ctx context.Context, specJSON []byte, stdout io.Writer) error {
	var spec insertSpec
	if err := json.Unmarshal(specJSON, &spec); err != nil {
		return err
	}
	took, err := insertRows(ctx, spec.Organisation.simulator(), spec.Path)
	return errors.Join(err, json.NewEncoder(stdout).Encode(took))
}

// insertRows counts only what DuckDB does. The clock is stopped while a batch is made.
func insertRows(ctx context.Context, sim *apisim.Sim, path string) (took cost, err error) {
	session := duckdb.Session{MemoryLimit: memoryLimit, TempDir: filepath.Join(filepath.Dir(path), "tmp"), Background: true}
	db, err := duckdb.Open(path, session)
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, name := range streams {
		table := schema.ByName(name)
		for _, statement := range table.DDL() {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return took, err
			}
		}
		for built, err := range batches(ctx, sim, table, committedRows) {
			if err != nil {
				return took, err
			}
			runtime.GC() // of what was made while the clock was stopped
			if err := took.time(func() error { return insertBatch(ctx, conn, table, built.Record) }); err != nil {
				return took, err
			}
		}
	}
	err = took.time(func() error {
		_, err := conn.ExecContext(ctx, "CHECKPOINT")
		return err
	})
	return took, errors.Join(err, checkInserted(ctx, conn, sim))
}

// checkInserted makes sure that what was measured is what should have been.
func checkInserted(ctx context.Context, conn *sql.Conn, sim *apisim.Sim) error {
	for _, name := range streams {
		var rows int
		if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM "+schema.Ident(name)).Scan(&rows); err != nil {
			return err
		}
		if wanted := sim.Len(apisim.Stream(name)); rows != wanted {
			return fmt.Errorf("%s: %d rows were inserted instead of %d", name, rows, wanted)
		}
	}
	return nil
}

// insertBatch is the plainest way from an Arrow batch to a table.
func insertBatch(ctx context.Context, conn *sql.Conn, table *schema.Table, batch arrow.RecordBatch) error {
	return duckdb.WithView(conn, batch, func() error {
		_, err := conn.ExecContext(ctx, insertStatement(table))
		return err
	})
}

// insertStatement fills the columns of our own bookkeeping with constants, as the
// program does.
func insertStatement(table *schema.Table) string {
	var names, values []string
	for _, c := range table.Columns {
		names = append(names, schema.Ident(c.Name))
		switch {
		case c.Origin != schema.Bookkeeping:
			values = append(values, schema.Ident(c.Name))
		case c.Type == schema.Timestamp:
			values = append(values, "TIMESTAMPTZ '2026-01-07 00:00:00+00'")
		default:
			values = append(values, "'run-1'")
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM incoming", schema.Ident(table.Name), strings.Join(names, ", "), strings.Join(values, ", "))
}

// readPages is the floor of reading: as many pages as contain the rows, by a client that does
// nothing with them. It pages by skip: that needs nothing of the answer before, and costs
// the simulator the same at any depth.
func (l *lab) readPages(ctx context.Context, from status) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxConnsPerHost = l.Connections, l.Connections
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	for _, stream := range streams {
		var next atomic.Int64
		var workers gosync.WaitGroup
		failures := make(chan error, l.Connections)
		for range l.Connections {
			workers.Go(func() {
				for skip := next.Add(100) - 100; skip < int64(from.Rows[stream]); skip = next.Add(100) - 100 {
					if err := readPage(ctx, client, fmt.Sprintf("%s/policy/%s?take=100&skip=%d", from.URL, stream, skip)); err != nil {
						failures <- err
						return
					}
				}
			})
		}
		workers.Wait()
		if len(failures) > 0 {
			return <-failures
		}
	}
	return nil
}

func readPage(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

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
