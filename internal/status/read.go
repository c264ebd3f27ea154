package status

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// Options say which data_dir to read, and how it is configured.
type Options struct {
	Source
	Version    string
	API        string        // the API's base URL
	StaleAfter time.Duration // see Status.StaleAfter
}

// Read reads everything in this process.
func Read(ctx context.Context, o Options) (*Status, error) {
	s, err := ReadRecords(o)
	if err != nil {
		return nil, err
	}
	o.At = s.At
	s.Holdings, err = ReadHoldings(ctx, o.Source)
	if err != nil && !errors.Is(err, ErrNothingPublished) {
		s.HoldingsError = visible.Short(err.Error(), 500)
	}
	return s, ctx.Err()
}

// ReadRecords reads what a data_dir has beside the published files: how runs went, and
// the run under way. It needs no DuckDB.
func ReadRecords(o Options) (*Status, error) {
	runs, err := journal.Read(o.DataDir)
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read the journal", Err: err}
	}
	progress, err := journal.ReadProgress(o.DataDir)
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read the progress", Err: err}
	}
	s := &Status{
		At: time.Now().UTC(), Version: o.Version, Source: o.API, DataDir: o.DataDir, StaleAfter: o.StaleAfter,
		Journal: *runs, Progress: progress, Published: lookAtPublished(o.DataDir),
	}
	s.Host, _ = os.Hostname() // shown if it is known
	return s, nil
}

// Fingerprint differs when a published file was replaced, or other things are to be
// read of it.
func (f Source) Fingerprint() string {
	var all strings.Builder
	fmt.Fprintln(&all, f.DuckDB, f.Names, f.Lookbacks, f.Wanted)
	for _, name := range []string{snapshot.Name, filepath.Join("lake", lake.ManifestName)} {
		info, err := os.Stat(filepath.Join(f.DataDir, name))
		if err != nil {
			fmt.Fprintf(&all, "%s none\n", name)
			continue
		}
		fmt.Fprintf(&all, "%s %d %s\n", name, info.Size(), info.ModTime())
	}
	return all.String()
}
