package run

import (
	"context"
	"errors"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
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
	journal.Stream

	Err error `json:"-"`
}

// ErrIncomplete says that a stream was read and some of it is still missing, or
// that too many of its rows were rejected.
var ErrIncomplete = errors.New("incomplete")

// Names lists the streams in the order they ran.
func (s *Summary) Names() []string { return s.order }

func (s *Summary) add(name string, r *Result) {
	if r.Err != nil {
		r.Error = new(r.Err.Error())
	}
	r.Status = r.ended()
	s.Streams[name] = r
	s.order = append(s.order, name)
}

// finish derives the run's status from its streams'.
func (s *Summary) finish(now time.Time) {
	s.FinishedAt = now.UTC()
	s.Status = journal.OK
	failed := 0
	for _, r := range s.Streams {
		if r.Err != nil || !r.Complete {
			s.Status = journal.Partial
		}
		if r.failed() {
			failed++
		}
	}
	if failed > 0 && failed == len(s.Streams) {
		s.Status = journal.Failed
	}
}

// failed reports whether the stream ended early, in contrast to incomplete.
func (r *Result) failed() bool { return r.Err != nil && !errors.Is(r.Err, ErrIncomplete) }

// ended is how the stream ended.
func (r *Result) ended() string {
	switch {
	case errors.Is(r.Err, context.Canceled):
		return journal.Interrupted
	case r.failed():
		return journal.Failed
	case !r.Complete:
		return journal.Partial
	}
	return journal.OK
}

// accounted is how many rows are counted by what became of them.
func (r *Result) accounted() int64 {
	return r.Inserted + r.Updated + r.Unchanged + r.Duplicate + r.Rejected + r.Withheld
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
		RunID: runID, Stream: stream, Status: r.Status, StartedAt: started, FinishedAt: finished, Requests: r.Requests,
		Received: r.Received, Inserted: r.Inserted, Updated: r.Updated, Unchanged: r.Unchanged,
		Doubled: r.Duplicate, Rejected: r.Rejected, Recovered: r.Recovered, Complete: r.Complete, Version: version,
		Verified: r.Verified, VerifiedMissing: r.VerifiedMissing, Withheld: r.Withheld,
	}
	if r.From != nil {
		run.From, run.To = *r.From, *r.To
	}
	if r.Err != nil {
		run.Error = r.Err.Error()
	}
	return run
}
