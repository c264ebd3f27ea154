package run

import (
	"context"
	"errors"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
)

// Summary is what a run did. Its JSON is the last line that `sync --json` prints.
type Summary struct {
	RunID      string             `json:"run_id"`
	Status     string             `json:"status"` // ok, partial or failed
	Streams    map[string]*Result `json:"streams"`
	StartedAt  time.Time          `json:"started_at"`
	FinishedAt time.Time          `json:"finished_at"`

	order []string
}

// Result is what a run did with one stream.
type Result struct {
	Requests  int64      `json:"requests"`
	Received  int64      `json:"rows_received"`
	Inserted  int64      `json:"rows_inserted"`
	Updated   int64      `json:"rows_updated"`
	Unchanged int64      `json:"rows_unchanged"`
	Duplicate int64      `json:"rows_duplicate"`
	Rejected  int64      `json:"rows_rejected"`
	Recovered int64      `json:"rows_recovered"` // rejects of earlier runs that could be typed
	Complete  bool       `json:"complete"`
	Served    bool       `json:"served"` // false: the source does not have this optional stream
	From      *time.Time `json:"from"`   // watermarks: the range that was read; null if nothing was due
	To        *time.Time `json:"to"`
	Error     *string    `json:"error"`

	Verified        string `json:"verified,omitempty"` // what the verification found, if one was due
	VerifiedMissing int64  `json:"verified_missing,omitempty"`

	Queries string `json:"-"` // as in Wanted.Digest

	Err  error         `json:"-"`
	Took time.Duration `json:"-"`
}

// Statuses of a run.
const (
	statusOK          = "ok"
	statusPartial     = "partial"
	statusFailed      = "failed"
	statusInterrupted = "interrupted"
)

// ErrIncomplete says that a stream was read and some of it is still missing, or
// that too many of its rows were rejected.
var ErrIncomplete = errors.New("incomplete")

// Names lists the streams in the order they ran.
func (s *Summary) Names() []string { return s.order }

func (s *Summary) add(name string, r *Result) {
	if r.Err != nil {
		text := r.Err.Error()
		r.Error = &text
	}
	s.Streams[name] = r
	s.order = append(s.order, name)
}

// finish derives the run's status from its streams'.
func (s *Summary) finish(now time.Time) {
	s.FinishedAt = now.UTC()
	s.Status = statusOK
	failed := 0
	for _, r := range s.Streams {
		if r.Err != nil || !r.Complete {
			s.Status = statusPartial
		}
		if r.failed() {
			failed++
		}
	}
	if failed > 0 && failed == len(s.Streams) {
		s.Status = statusFailed
	}
}

// failed reports whether the stream ended early, in contrast to incomplete.
func (r *Result) failed() bool { return r.Err != nil && !errors.Is(r.Err, ErrIncomplete) }

// Status is how the stream ended: ok, partial, failed or interrupted.
func (r *Result) Status() string {
	switch {
	case errors.Is(r.Err, context.Canceled):
		return statusInterrupted
	case r.failed():
		return statusFailed
	case !r.Complete:
		return statusPartial
	}
	return statusOK
}

// conserves checks that no row was lost between the API and the tables.
func (r *Result) conserves() bool {
	return r.Received == r.Inserted+r.Updated+r.Unchanged+r.Duplicate+r.Rejected
}

// tooManyRejected reports whether a run is not to be trusted for its rejects: more
// than 1,000, or more than 1% unless they are few. One bad record of a short list says
// nothing of the API.
func (r *Result) tooManyRejected() bool {
	const few = 10
	return r.Rejected > 1000 || (r.Rejected > few && r.Rejected*100 > r.Received)
}

func (r *Result) record(runID, stream, version string, started, finished time.Time) load.Run {
	run := load.Run{
		RunID: runID, Stream: stream, Status: r.Status(), StartedAt: started, FinishedAt: finished, Requests: r.Requests,
		Received: r.Received, Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged,
		Doubled: r.Duplicate, Rejected: r.Rejected, Recovered: r.Recovered, Complete: r.Complete, Version: version,
		Verified: r.Verified, VerifiedMissing: r.VerifiedMissing,
	}
	if r.From != nil {
		run.From, run.To = *r.From, *r.To
	}
	if r.Err != nil {
		run.Error = r.Err.Error()
	}
	return run
}
