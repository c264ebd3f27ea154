package run

import (
	"context"
	"path/filepath"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/internal/views"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Options say what a run does. Streams that are not named are not synced.
type Options struct {
	RunID string
	// NewRunID names further runs, where there are any; nil keeps RunID.
	NewRunID func() string
	Version  string
	DataDir  string
	Source   string // the base URL, for reports

	Lists []streams.List
	Stats *streams.Stats
	// Configured names the streams of the configuration, of which a run may sync some.
	Configured []string

	// From and To, if not zero, replace the planned range: everything between
	// them is read again, covered or not.
	From, To time.Time
	// Full verifies every row instead of the totals.
	Full bool
	// VerifyEvery is how often a run compares the totals of a list, by Verify; 0 is never.
	VerifyEvery time.Duration
	Verify      func(ctx context.Context, options *Options, stored *load.Warehouse, from Source, list streams.List, now time.Time) (status string, missing int64, err error)
	// RetryRejected types the rejects again.
	RetryRejected bool
	// DryRun plans and requests the totals, and writes nothing.
	DryRun bool

	// Privacy is what is stored of each column's values; nil: everything.
	Privacy *transform.Policy
	// ApplyPrivacy rewrites what is stored if it obeys another policy; otherwise a run
	// returns a *privacy.Changed.
	ApplyPrivacy bool
	// forget is who is forgotten or suppressed instead of reading anything.
	forget *forgotten.Person
	// finish completes what was interrupted, and reads nothing.
	finish bool

	// KeepRuns and KeepRejects are how long the program's own records are kept, as in
	// load.Keep; 0 is indefinitely.
	KeepRuns, KeepRejects time.Duration

	// Keep is how long the rows of streams are kept, by name, in whole UTC days; those of
	// others are kept indefinitely.
	Keep map[string]time.Duration

	PublishDuckDB bool         // write flashback.duckdb
	Compression   string       // of Parquet files: zstd, snappy or none
	Views         []views.View // further files

	Repair *Repair // what to read instead of what is due, if not nil

	Now     func() time.Time
	Observe func(Event) // may be nil

	expire time.Time // if not zero: see EraseBefore
}

// Repair is what a run reads and publishes again, instead of what is due.
type Repair struct {
	Lists      map[checkpoints.Key]checkpoints.Set
	Series     map[string]time.Time // by the series' filter: since when
	Partitions map[*schema.Table][]time.Time
	Snapshot   bool
}

// Empty reports whether there is nothing to do.
func (r *Repair) Empty() bool {
	return len(r.Lists)+len(r.Series)+len(r.Partitions) == 0 && !r.Snapshot
}

// EventKind says what an Event reports.
type EventKind int

const (
	// Planned: what is due is known; Message says it.
	Planned EventKind = iota
	// Progressed: rows arrived.
	Progressed
	// Warned: Message says what a person should know.
	Warned
	// Finished: the stream is done; Result has its figures.
	Finished
	// Published: Message says what was written.
	Published
	// Verifying: Rows of Expected steps of the stream, or of "files", are done.
	Verifying
	// Opened: the warehouse is open and locked. A repair opens it several times.
	Opened
)

// Event reports progress to whoever watches the run. Events of a run come from
// one goroutine at a time, warnings from several.
type Event struct {
	Kind     EventKind
	Stream   string
	Message  string
	Rows     int64 // received so far
	Expected int64 // announced by the source so far
	Requests int64
	Result   *Result // of a Finished event
}

// LakeDir is the folder of the Parquet files.
func (o *Options) LakeDir() string { return filepath.Join(o.DataDir, "lake") }

// Source is what runs and audits read from.
type Source struct {
	*api.Client
	*extract.Reader
}

// NewSource reads from a client.
func NewSource(client *api.Client) Source { return Source{client, extract.NewReader(client)} }
