package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Level is how much a problem matters.
type Level string

// Levels, the gravest first.
const (
	Bad  Level = "bad"  // somebody has to act
	Warn Level = "warn" // somebody should look
	Note Level = "note" // worth knowing
)

// Problem is something that is not as it should be.
type Problem struct {
	Level Level `json:"level"`
	// Subject is the job or stream it is about, or "published files".
	Subject string `json:"subject"`
	Text    string `json:"text"` // one sentence; it may quote what came from outside
	Hint    string `json:"hint,omitempty"`
}

// Problems lists what is wrong, the gravest first. None means that none was found by
// what Checked names.
func (s *Status) Problems() (all []Problem) {
	all = append(all, s.ofFiles()...)
	all = append(all, s.Published.problems()...)
	all = append(all, s.ofRuns()...)
	if v := s.LastVerification(); v != nil {
		all = append(all, ofVerification(v)...)
	}
	if s.Holdings != nil {
		for i := range s.Holdings.Streams {
			all = append(all, s.ofStream(&s.Holdings.Streams[i])...)
		}
	}
	return sorted(all)
}

// Judged is a status and what is wrong with it, for scripts: all that the page shows.
type Judged struct {
	*Status
	Problems []Problem `json:"problems"` // the gravest first; never null
}

// Judged adds the problems.
func (s *Status) Judged() Judged {
	return Judged{Status: s, Problems: append([]Problem{}, s.Problems()...)}
}

func sorted(all []Problem) (out []Problem) {
	for _, level := range []Level{Bad, Warn, Note} {
		for _, p := range all {
			if p.Level == level {
				out = append(out, p)
			}
		}
	}
	return out
}

func (s *Status) ofFiles() []Problem {
	switch {
	case s.HoldingsError != "":
		return []Problem{{Level: Bad, Subject: "published files", Text: "what is published cannot be read: " + s.HoldingsError, Hint: "correct its permissions if that is the cause; otherwise 'flashback-sync repair' publishes it again"}}
	case s.Holdings == nil && len(s.Published.Altered) > 0: // it was published, and is gone: see Published
	case s.Holdings == nil && s.Progress.Alive(s.At):
		return []Problem{{Level: Note, Subject: "published files", Text: "the first run is under way, and nothing is published yet"}}
	case s.Holdings == nil:
		return []Problem{{Level: Warn, Subject: "published files", Text: "nothing is published yet", Hint: "'flashback-sync sync' publishes for the first time"}}
	}
	return nil
}

func (s *Status) ofRuns() (all []Problem) {
	if p := s.Progress; p != nil && !p.Alive(s.At) {
		all = append(all, Problem{
			Level: Bad, Subject: p.Command, Text: fmt.Sprintf("the last run was killed %s (out of memory, kill -9 or power loss)", span.Ago(s.At, p.UpdatedAt)),
			Hint: "what was committed is kept, and the next run goes on from there",
		})
	}
	for _, job := range s.jobs() {
		last := s.Standing(job)
		if last == nil || last.Good() || job == jobVerify && last.Verdict != "" {
			continue // a verdict is reported by ofVerification
		}
		problem := Problem{Level: Bad, Subject: job, Hint: last.Hint}
		switch last.Status {
		case journal.Partial:
			problem.Level, problem.Text = Warn, "the last run is not complete"
		case journal.Crashed:
			problem.Text = "the last run crashed"
			if last.Error == "" || last.Error == journal.Killed {
				problem.Text = "the last run was " + journal.Killed
			}
		default:
			problem.Text = "the last run failed"
		}
		problem.Text += fmt.Sprintf(" (%s)", span.Ago(s.At, last.FinishedAt))
		if last.Error != "" && last.Error != journal.Killed {
			problem.Text += ": " + last.Error
		}
		all = append(all, problem)
	}
	return all
}

func ofVerification(v *journal.Run) []Problem {
	switch {
	case v.Verdict == "match":
		return nil
	case v.Verdict == "extra":
		return []Problem{{
			Level: Note, Subject: jobVerify, Text: "rows are stored that the source no longer lists",
			Hint: "rows that the source has deleted are kept; there is nothing to repair",
		}}
	case v.Missing > 0:
		return []Problem{{
			Level: Bad, Subject: jobVerify, Text: "the last verification found " + english.Plural(int(v.Missing), "missing row", ""),
			Hint: "'flashback-sync repair' fetches what is missing",
		}}
	}
	return []Problem{{
		Level: Warn, Subject: jobVerify, Text: "the last verification did not end with a match: " + v.Verdict,
		Hint: "'flashback-sync verify' says what differs, 'flashback-sync repair' repairs it",
	}}
}

func (s *Status) ofStream(stream *Stream) (all []Problem) {
	add := func(level Level, hint, format string, arguments ...any) {
		all = append(all, Problem{Level: level, Subject: stream.Name, Text: fmt.Sprintf(format, arguments...), Hint: hint})
	}
	lag, complete := s.Lag(stream.Name)
	switch stale := s.Stale(stream.Name); {
	case stale && complete:
		add(Bad, "look at the last runs below, and whether the scheduler runs", "it lags %s behind, more than %s", span.Words(lag), span.Words(s.StaleAfter))
	case stale:
		add(Bad, "look at the errors of the last runs below", "it has never been read completely, and its runs began more than %s ago", span.Words(s.StaleAfter))
	case !complete && s.Awaited(stream.Name) && !s.Progress.Alive(s.At):
		add(Warn, "the next complete run brings it up to date; the errors of the last runs say what is missing", "it has not been read completely yet")
	}
	if gaps := stream.Gaps(); len(gaps) > 0 && !stream.Retired {
		add(Warn, "the next complete run closes it", "%s in what is covered", english.Plural(len(gaps), "gap", ""))
	}
	if lost := stream.Lost(); len(lost) > 0 {
		add(Note, "", "%s can no longer be had from the source", english.Plural(len(lost), "time range", ""))
	}
	if stream.Rejected > 0 {
		level := Note
		if last := s.lastOf(stream.Name); last != nil && last.Streams[stream.Name].Rejected > 0 {
			level = Warn
		}
		add(level, "see the table rejected_records", "%s in quarantine", english.Plural(int(stream.Rejected), "record", ""))
	}
	if l := stream.Lateness; l.Nears(stream.Lookback) {
		add(Warn, fmt.Sprintf("set streams.%s.lookback to %s", stream.Name, l.Proposed()), "rows come up to %s late, which nears the lookback of %s", span.Words(l.Max), span.Words(stream.Lookback))
	}
	return all
}

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
	held := s.Stream(stream)
	if held == nil || held.Retired {
		return false
	}
	last := s.lastOf(stream)
	return held.Rows > 0 || last == nil || last.Streams[stream].Served
}

// Gaps are the holes between covered times of one filter set, those of all sets
// together, as they are in the ledger. What the source lost is none.
func (s *Stream) Gaps() (gaps []Span) {
	for _, lane := range s.Lanes {
		for i := 1; i < len(lane.Covered); i++ {
			gap := Span{From: lane.Covered[i-1].To, To: lane.Covered[i].From}
			if !lane.lost(gap) {
				gaps = append(gaps, gap)
			}
		}
	}
	return gaps
}

// Lost are the ranges that the source can no longer give.
func (s *Stream) Lost() (lost []Span) {
	for _, lane := range s.Lanes {
		lost = append(lost, lane.Lost...)
	}
	return lost
}

// lost reports whether the whole gap is known to be lost.
func (l *Lane) lost(gap Span) bool {
	at := gap.From
	for _, lost := range l.Lost {
		if !lost.From.After(at) && lost.To.After(at) {
			at = lost.To
		}
	}
	return !at.Before(gap.To)
}
