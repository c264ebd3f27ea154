// Package query runs an analyst's SQL on the published DuckDB file and writes the
// results: texts by package format, Parquet and Arrow itself. It only reads: DuckDB's own
// classification decides which statements are admitted, and memory, spill and time are
// limited.
package query

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// Request is what to run, and how the results are written.
type Request struct {
	Database string // the published DuckDB file
	SQL      string
	Params   map[string]string // texts of the parameters $name of the SQL
	Format   string            // one of Formats
	Mark     bool              // begin CSV with the byte order mark, by which Excel knows UTF-8
	Zone     string            // time zone of the session; "" for UTC
	Period   Period            // what the sheet Coverage of a workbook is about
	Limits   Limits
	Progress func(rows, bytes int64) // is called while a file is written; nil for nobody
}

// Limits are what the statements of a request may use together.
type Limits struct {
	Memory string        // in DuckDB's notation: 1GB
	Spill  string        // for what does not fit into memory, on disk
	Time   time.Duration // 0 for no limit
}

// DefaultLimits are enough for a group over ten million rows, and stop a join whose
// condition was forgotten before it fills a disk.
func DefaultLimits() Limits { return Limits{Memory: "1GB", Spill: "4GB", Time: 5 * time.Minute} }

// Output is where the results go. Path is set if the writer is a file.
type Output struct {
	io.Writer
	Path string
}

// Formats lists the names of the formats.
func Formats() []string {
	return []string{"table", "csv", "json", "jsonl", "parquet", "arrow", "xlsx"}
}

// Binary reports whether a format is not for a terminal.
func Binary(format string) bool { return holdsOne(format) || format == "xlsx" }

// Run runs the statements in order. All of them are checked before the first runs.
func Run(ctx context.Context, r Request, out Output) error {
	return within(ctx, r, out, func(ctx context.Context, s *session) error {
		statements, err := s.prepareAll(ctx, r.SQL)
		if err != nil {
			return err
		}
		return s.write(ctx, r, statements, out)
	})
}

// within opens a session, which ends with the function or at a limit of the request.
func within(ctx context.Context, r Request, out Output, do func(context.Context, *session) error) (err error) {
	if r.Limits.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Limits.Time, &LimitError{Limit: "time", Most: r.Limits.Time.String()})
		defer cancel()
	}
	s, err := open(r, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = s.attended(ctx, r, out.Path, func() error { return do(ctx, s) })
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// attended reports how much was written while a function runs, and stops what DuckDB does
// in it when the context ends. DuckDB forgets an interrupt when the next statement begins,
// so it is repeated.
func (s *session) attended(ctx context.Context, r Request, path string, do func() error) error {
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		defer crash.Exit()
		tick, reported := time.NewTicker(20*time.Millisecond), time.Now()
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if ctx.Err() != nil {
				mapping.Interrupt(s.connection)
			}
			if r.Progress != nil && time.Since(reported) > 200*time.Millisecond {
				r.Progress(s.written.Load(), sizeOf(path))
				reported = time.Now()
			}
		}
	})
	defer watch.Wait()
	defer close(done)
	return do()
}
