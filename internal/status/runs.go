package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/schema"
)

const jobVerify = "verify"

// JobNames are those of all jobs that there can be.
func JobNames() []string { return append(append([]string{"sync"}, StreamNames()...), jobVerify) }

// StreamNames are those of all streams that there are.
func StreamNames() (names []string) {
	for _, stream := range schema.Streams() {
		names = append(names, stream.Name)
	}
	return names
}

// jobs are those of the schedule, or those that have run.
func (s *Status) jobs() (names []string) {
	for _, job := range s.Jobs {
		names = append(names, job.Name)
	}
	if len(names) > 0 {
		return names
	}
	return JobNames()
}

// Last is the last run of a job that came to an end of its own: not skipped, not
// stopped by a signal. It is nil if there is none.
func (s *Status) Last(job string) *journal.Run {
	return s.find(func(r *journal.Run) bool {
		return r.Job == job && r.Status != journal.Skipped && r.Status != journal.Interrupted
	})
}

// Standing is the last run of a job, unless a good run of all streams has done the
// job's work since: otherwise a sync of one stream that a person tried would remain
// the last of its job indefinitely.
func (s *Status) Standing(job string) *journal.Run {
	last := s.Last(job)
	since := s.find(func(r *journal.Run) bool {
		return r == last || r.Covers(job)
	})
	if since != last {
		return nil
	}
	return last
}

// LastVerification is the last run that compared with the source, whichever
// command did, or nil.
func (s *Status) LastVerification() *journal.Run {
	return s.find(func(r *journal.Run) bool { return r.Verdict != "" })
}

func (s *Status) lastOf(stream string) *journal.Run {
	return s.find(func(r *journal.Run) bool { _, ran := r.Streams[stream]; return ran })
}

// LastRun is the newest run that read streams and came to an end, nil if there is
// none. Its status is that of its summary.
func (s *Status) LastRun() *journal.Run {
	last := s.find(func(r *journal.Run) bool { return len(r.Streams) > 0 && r.Status != journal.Crashed })
	if last == nil {
		return nil
	}
	summed := *last
	summed.Status = cmp.Or(last.Outcome, last.Status)
	return &summed
}

func (s *Status) find(is func(*journal.Run) bool) *journal.Run {
	for i := range s.Runs {
		if is(&s.Runs[i]) {
			return &s.Runs[i]
		}
	}
	return nil
}

// Fresh is the time up to which every query of a stream has been read completely,
// as far as is known: nil if one never was. A ledger that is published is renewed by
// the complete runs after it, which do not publish it again if no row changed.
func (s *Status) Fresh(stream string) *time.Time {
	run := s.find(func(r *journal.Run) bool {
		of, ran := r.Streams[stream]
		whole := r.Command == "sync" && r.Job != "" // neither a repair nor what was narrowed by hand
		return whole && ran && of.Complete && of.To != nil
	})
	of := s.Stream(stream)
	if of == nil {
		if run == nil || s.Holdings != nil {
			return nil
		}
		return run.Streams[stream].To
	}
	fresh := of.completeTo()
	if fresh == nil || run == nil {
		return fresh
	}
	read := run.Streams[stream]
	if read.Queries == of.Wanted.Digest && !run.FinishedAt.Before(s.Holdings.At) && read.To.After(*fresh) {
		return read.To
	}
	return fresh
}

// Lag is how far behind now a stream is, never below 0.
func (s *Status) Lag(stream string) (lag time.Duration, known bool) {
	fresh := s.Fresh(stream)
	if fresh == nil {
		return 0, false
	}
	return max(0, s.At.Sub(*fresh)), true
}

// Unread is since when a stream lacks what is newer: the time up to which it was
// read completely, or when its first run began if it never was and rows are awaited.
func (s *Status) Unread(stream string) (since time.Time, known bool) {
	if fresh := s.Fresh(stream); fresh != nil {
		return *fresh, true
	}
	for i := range slices.Backward(s.Runs) {
		if _, ran := s.Runs[i].Streams[stream]; ran && s.Awaited(stream) {
			return s.Runs[i].StartedAt, true
		}
	}
	return time.Time{}, false
}

// Stale reports whether a stream lags more than it may. One that no run is to read
// does not.
func (s *Status) Stale(stream string) bool {
	since, known := s.Unread(stream)
	return s.StaleAfter > 0 && known && s.At.Sub(since) > s.StaleAfter && s.Awaited(stream)
}

// Awaited reports whether runs are to bring rows of a stream: the configuration
// names it, and the source serves it, or once did.
func (s *Status) Awaited(stream string) bool {
	stored := s.Stream(stream)
	if stored == nil || stored.Retired {
		return false
	}
	last := s.lastOf(stream)
	return stored.Rows > 0 || last == nil || last.Streams[stream].Served
}

// Checked says what was checked, and when: no more than that is known to be well.
func (s *Status) Checked() string {
	sync := "No sync was ever complete."
	if run := s.find(func(r *journal.Run) bool { return r.Command == "sync" && r.Job != "" && r.Good() }); run != nil {
		sync = fmt.Sprintf("Last complete sync: %s.", minute(run.FinishedAt))
	}
	v := s.LastVerification()
	if v == nil {
		return sync + " Never compared with the source: 'flashback-sync verify --job verify' does it, and schedule.verify regularly."
	}
	how := "by totals of each month, within a " + v.Command
	if v.Command == jobVerify {
		how = "by totals of each day, with every published file"
	}
	return fmt.Sprintf("%s Last compared with the source, %s: %s, %s.", sync, how, minute(v.FinishedAt), v.Verdict)
}

// LastComplete reports whether the last run of a stream read it completely.
func (s *Status) LastComplete(stream string) bool {
	last := s.lastOf(stream)
	return last != nil && last.Streams[stream].Complete && last.Streams[stream].Error == nil
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
