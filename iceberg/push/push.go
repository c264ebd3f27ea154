// Package push brings the Iceberg tables of one organisation up to date from a published lake.
//
// A table is its own cursor: the names of its data files say which lake files they are copies
// of. So a push compares what should be there with what is there, writes what differs and
// commits it, and does the same again after every conflict and every commit whose outcome is
// unknown. Whoever is killed leaves at most files that no table refers to.
package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Options say what to push, and where.
type Options struct {
	Lake    *lake.Lake
	Catalog *catalogs.Catalog
	Org     string
	Run     string // 12 hexadecimal digits
	Log     *slog.Logger
	// Rebuilt accepts a manifest whose generation is lower than the table's: the lake was made
	// anew and its generations started again.
	Rebuilt bool
	// Seal commits the generation even where no row changed, so that no older manifest is
	// accepted from then on.
	Seal bool
}

// Result is what a push did.
type Result struct {
	Org        string                  `json:"org"`
	Run        string                  `json:"run_id"`
	Status     string                  `json:"status"` // ok, partial or failed
	Generation int64                   `json:"generation"`
	Tables     map[string]*TableResult `json:"tables"`
}

// TableResult is what a push did to one table.
type TableResult struct {
	Wanted   int     `json:"partitions"` // of the lake
	Written  int     `json:"partitions_written"`
	Removed  int     `json:"partitions_removed"`
	Rows     int64   `json:"rows_written"`
	Bytes    int64   `json:"bytes_written"`
	Snapshot int64   `json:"snapshot_id,omitempty"` // 0: nothing was to do
	Commits  int     `json:"commits_tried"`
	Seconds  float64 `json:"seconds"`
	Error    string  `json:"error,omitempty"`

	Err error `json:"-"`
}

// ErrOlder means that the table has rows of a newer manifest.
var ErrOlder = errors.New("the lake's manifest is older than the table")

// While a run publishes, its files are newer than the manifest, which comes last.
const (
	publishingWait  = time.Second
	publishingTries = 30
)

// Run pushes every table. One table's failure does not stop the others, but the coverage
// ledger is pushed only after all of them: it must not cover rows that are not there.
func Run(ctx context.Context, o Options) (*Result, error) {
	for try := 1; ; try++ {
		manifest, err := o.Lake.Manifest()
		if err != nil {
			return nil, err
		}
		result, err := run(ctx, o, manifest)
		if !errors.Is(err, lake.ErrChanged) || try == publishingTries {
			return result, err
		}
		o.Log.Info("the lake is being published, reading its manifest again", "cause", err)
		if err := catalogs.Sleep(ctx, publishingWait, publishingWait+time.Millisecond); err != nil {
			return result, err
		}
	}
}

func run(ctx context.Context, o Options, manifest *lake.Manifest) (*Result, error) {
	declared, err := tables.Of(manifest)
	if err != nil {
		return nil, err
	}
	if err := o.Catalog.EnsureNamespace(ctx); err != nil {
		return nil, fmt.Errorf("create namespace: %w", err)
	}
	result := &Result{Org: o.Org, Run: o.Run, Status: "ok", Generation: manifest.Generation, Tables: map[string]*TableResult{}}
	var failed []error
	for _, t := range declared {
		if t.Name == lake.CoverageName && len(failed) > 0 {
			break
		}
		began := time.Now()
		p := &pusher{Options: o, manifest: manifest, declared: t, result: &TableResult{}}
		result.Tables[t.Name] = p.result
		err := p.push(ctx)
		p.result.Seconds = time.Since(began).Seconds()
		if err != nil {
			err = fmt.Errorf("table %s: %w", t.Name, err)
			p.result.Err, p.result.Error = err, err.Error()
			failed = append(failed, err)
		}
		if ctx.Err() != nil || errors.Is(err, lake.ErrChanged) || errors.Is(err, ErrOlder) || catalogs.Unauthorized(err) {
			break
		}
	}
	if len(failed) > 0 {
		result.Status = "failed"
	}
	for _, t := range result.Tables {
		if len(failed) > 0 && t.Err == nil && t.Wanted > 0 {
			result.Status = "partial"
		}
	}
	return result, errors.Join(failed...)
}
