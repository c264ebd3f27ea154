package journal

import (
	"cmp"
	"time"
)

// Statuses of a run. A verification that found a difference is partial.
const (
	OK          = "ok"
	Partial     = "partial"
	Failed      = "failed"
	Interrupted = "interrupted" // stopped cleanly by a signal
	Crashed     = "crashed"     // killed, or ended by a power loss: it reported nothing
	Skipped     = "skipped"     // a slot of the schedule that was not run
)

const (
	// Killed is the error of a run that left its progress and reported no end.
	Killed = "killed (out of memory, kill -9 or power loss)"
	// CrashedHint is the hint of a crashed run.
	CrashedHint = "what was committed is kept, and the next run goes on from there"
)

// StatusOf is the status of a run that ended with an exit code of the program.
func StatusOf(exitCode int) string {
	switch exitCode {
	case 0:
		return OK
	case 3, 9: // incomplete, or a difference was found
		return Partial
	case 7: // another instance runs
		return Skipped
	case 130, 143: // SIGINT, SIGTERM
		return Interrupted
	}
	return Failed
}

// Run is one run of one command, or a slot that was skipped. Times are UTC.
type Run struct {
	RunID string `json:"run_id"`
	// Command is sync, verify, repair, forget or suppress.
	Command string `json:"command"`
	// Job is the job of the schedule that the run did the work of: sync (all
	// streams), alerts, violations, policy_stats or verify; "" for what a person
	// narrowed by hand, which neither counts as a job's run nor alarms anybody.
	Job string `json:"job,omitempty"`
	// PID is the process that ran; 0 if none did.
	PID        int       `json:"pid,omitempty"`
	Status     string    `json:"status"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	// Outcome is ok, partial or failed by its streams, as the run's summary has it: one
	// stream that failed decides the exit code, and makes the run partial.
	Outcome string `json:"outcome,omitempty"`
	// ExitCode is the process's; -1 if it crashed or was skipped.
	ExitCode int `json:"exit_code"`
	// Error is one line that says what went wrong, "" if nothing did; Hint what to do.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
	// Streams holds the figures of a sync or repair, by stream.
	Streams map[string]Stream `json:"streams,omitempty"`
	// Requests counts what was sent by the answer's status: "200", "429", ...;
	// "none" is a request that got no answer.
	Requests map[string]int64 `json:"requests,omitempty"`
	// Retries are the requests that repeated one that had failed.
	Retries int64 `json:"retries,omitempty"`
	// Waited is how long requests waited between tries, summed up.
	Waited time.Duration `json:"waited_ns,omitempty"`
	// PeakBytes is the largest resident memory of the process, 0 if unknown.
	PeakBytes int64 `json:"peak_bytes,omitempty"`
	// Verdict is what a verify, or the verification within a sync, found: match,
	// missing, extra, differs or unproven; "" if there was none.
	Verdict string `json:"verdict,omitempty"`
	// Missing are the rows that it found missing.
	Missing int64  `json:"missing,omitempty"`
	Version string `json:"version,omitempty"`
}

// Stream is what a run did with one stream.
type Stream struct {
	Requests  int64 `json:"requests"`
	Received  int64 `json:"rows_received"`
	Inserted  int64 `json:"rows_inserted"`
	Updated   int64 `json:"rows_updated"`
	Unchanged int64 `json:"rows_unchanged"`
	Duplicate int64 `json:"rows_duplicate"`
	Rejected  int64 `json:"rows_rejected"`
	Withheld  int64 `json:"rows_withheld"`  // of forgotten or suppressed persons; not stored
	Recovered int64 `json:"rows_recovered"` // rejects of earlier runs that could be typed
	// Status is that of the stream, as of a run.
	Status   string `json:"status,omitempty"`
	Complete bool   `json:"complete"`
	// Queries identifies the set of queries that the stream consisted of.
	Queries string `json:"queries,omitempty"`
	// Served is false if the source does not have this optional stream.
	Served bool `json:"served"`
	// From and To are the range that was read (UTC); nil if nothing was due.
	From  *time.Time    `json:"from"`
	To    *time.Time    `json:"to"`
	Error *string       `json:"error"` // nil if nothing went wrong
	Took  time.Duration `json:"took_ns"`
	// Verified is what the verification of the totals found, "" if none was due.
	Verified        string `json:"verified,omitempty"`
	VerifiedMissing int64  `json:"verified_missing,omitempty"`
}

// Wanted is what the configuration wants of a stream: the queries it consists of.
type Wanted struct {
	Start   time.Time `json:"start,omitzero"`   // of lists; what the source has of statistics, only it knows
	Filters []string  `json:"filters"`          // the ledger's filter of every query that is named
	Auto    []string  `json:"auto,omitempty"`   // series of every repository that was seen, without their id
	Digest  string    `json:"digest,omitempty"` // identifies the set of queries, as in Stream.Queries
}

// Name is what the run is called and counted under: its job, otherwise its command.
func (r *Run) Name() string { return cmp.Or(r.Job, r.Command) }

// Took is how long the run lasted.
func (r *Run) Took() time.Duration { return r.FinishedAt.Sub(r.StartedAt) }

// Good reports whether the run did all that it was for.
func (r *Run) Good() bool { return r.Status == OK }

// Covers reports whether the run did all the work of a job of one stream as well.
func (r *Run) Covers(job string) bool {
	_, ran := r.Streams[job]
	return ran && r.Job == "sync" && r.Good()
}

// Sent is the number of requests of the run.
func (r *Run) Sent() (n int64) {
	for _, count := range r.Requests {
		n += count
	}
	return n
}

// Totals are sums over every recorded run, those that have been
// folded away included: the source of counters, which never go backwards.
type Totals struct {
	// Runs counts by command or job, then by status: Runs["sync"]["ok"].
	Runs map[string]map[string]int64 `json:"runs"`
	// Requests counts by the answer's status, as in Run.Requests.
	Requests map[string]int64 `json:"requests"`
	Retries  int64            `json:"retries"`
	// Seconds sums the durations of the runs, by job as in Runs.
	Seconds map[string]float64 `json:"seconds"`
	// Good is when the last run of each job ended that did all that it was for
	// (UTC), however long ago.
	Good map[string]time.Time `json:"good"`
	// Streams sums the rows by stream.
	Streams map[string]StreamTotals `json:"streams"`
}

// StreamTotals are sums over the runs of one stream.
type StreamTotals struct {
	Received int64 `json:"rows_received"`
	Inserted int64 `json:"rows_inserted"`
	Updated  int64 `json:"rows_updated"`
	Rejected int64 `json:"rows_rejected"`
}

// Journal is what is remembered.
type Journal struct {
	// Runs are the newest runs, the newest first.
	Runs []Run `json:"runs"`
	// Totals include Runs.
	Totals Totals `json:"totals"`
}

// Progress is a run under way, as it was a moment ago.
type Progress struct {
	RunID     string    `json:"run_id"`
	Command   string    `json:"command"`
	Job       string    `json:"job,omitempty"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
	// UpdatedAt is renewed at least every few seconds while the process lives.
	UpdatedAt time.Time `json:"updated_at"`
	Requests  int64     `json:"requests"` // sent so far, and answered or given up
	// Streams is in the order in which the streams run.
	Streams []StreamProgress `json:"streams"`
	// Message is the last thing the run had to say.
	Message string `json:"message,omitempty"`

	// Died: its process is known to be gone.
	Died bool `json:"-"`
}

// StreamProgress is how far a stream is.
type StreamProgress struct {
	Stream   string `json:"stream"`
	Rows     int64  `json:"rows"`     // received so far
	Expected int64  `json:"expected"` // announced by the source so far
	Requests int64  `json:"requests"`
	Done     bool   `json:"done"`
	Error    string `json:"error,omitempty"`
}

// Name is what the run is called, as that of a Run.
func (p *Progress) Name() string { return cmp.Or(p.Job, p.Command) }

// Alive reports whether the progress is that of a process that still renews it.
func (p *Progress) Alive(now time.Time) bool {
	return p != nil && !p.Died && now.Sub(p.UpdatedAt) < 15*time.Second
}

// Crashed is the run of a process that left this progress and died.
func (p *Progress) Crashed() Run {
	run := Run{
		RunID: p.RunID, Command: p.Command, Job: p.Job, PID: p.PID, StartedAt: p.StartedAt, FinishedAt: p.UpdatedAt,
		Status: Crashed, ExitCode: -1, Error: Killed, Hint: CrashedHint, Streams: map[string]Stream{},
	}
	for _, s := range p.Streams {
		of := Stream{Requests: s.Requests, Received: s.Rows, Served: true}
		if s.Error != "" {
			of.Error = &s.Error
		}
		run.Streams[s.Stream] = of
	}
	return run
}
