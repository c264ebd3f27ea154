package status

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	noted "github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/load"
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

// Published is how the published files compare with what was published, by what the
// system says of them: nothing is read.
type Published struct {
	// Altered are files that somebody changed or removed, by path below data_dir.
	Altered []string `json:"altered_files,omitempty"`
	// ForeignLog: beside flashback.duckdb is the log of a program that opened it, or an
	// earlier one in its place, for writing.
	ForeignLog bool `json:"foreign_log,omitempty"`
	// Unlisted are Parquet files in the lake that the manifest does not name, by path below
	// data_dir: whoever reads the folders counts their rows.
	Unlisted []string `json:"unlisted_files,omitempty"`
}

// lookAtPublished compares the published files with what was published. While a run may
// be replacing them nothing can be said of them.
func lookAtPublished(dataDir string) (p Published) {
	_, err := os.Lstat(filepath.Join(dataDir, snapshot.LogName))
	p.ForeignLog = err == nil
	p.Altered = noted.Altered(dataDir)
	p.Unlisted = unlisted(dataDir)
	return p
}

// unlisted lists none while a run may be placing files that the manifest names later.
func unlisted(dataDir string) (paths []string) {
	dir := filepath.Join(dataDir, "lake")
	manifest, err := lake.ReadManifest(dir)
	if err != nil {
		return nil // a manifest that is missing is altered
	}
	found, err := lake.Unlisted(dir, manifest)
	if _, running := os.Lstat(filepath.Join(dataDir, filepath.FromSlash(load.Unpublished))); err != nil || running == nil {
		return nil
	}
	for _, path := range found {
		paths = append(paths, "lake/"+path)
	}
	return paths
}

// some names the first few files.
func some(files []string) string {
	const shown = 3
	names := strings.Join(files[:min(len(files), shown)], ", ")
	if len(files) > shown {
		names += ", …"
	}
	return names
}

func (p Published) problems() (all []Problem) {
	if n := len(p.Altered); n > 0 {
		all = append(all, Problem{
			Level: Bad, Subject: ofFiles, Text: fmt.Sprintf("%s not as published: %s", english.Plural(n, "file is", "files are"), some(p.Altered)),
			Hint: "'flashback-sync sync' publishes again what was changed; open published files read-only",
		})
	}
	if n := len(p.Unlisted); n > 0 {
		all = append(all, Problem{
			Level: Warn, Subject: ofFiles, Text: fmt.Sprintf("%s no part of the lake, and readers of its folders count the rows: %s", english.Plural(n, "Parquet file is", "Parquet files are"), some(p.Unlisted)),
			Hint: "move them elsewhere; 'flashback-sync repair' removes those in the place of a day or month",
		})
	}
	if p.ForeignLog {
		all = append(all, Problem{
			Level: Bad, Subject: ofFiles, Text: snapshot.LogName + " is there: readers may see what another program wrote",
			Hint: "'flashback-sync sync' removes it; open " + snapshot.Name + " read-only",
		})
	}
	return all
}
