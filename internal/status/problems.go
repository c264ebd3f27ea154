package status

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
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
	// Subject is the job or stream it is about, or ofFiles.
	Subject string `json:"subject"`
	Text    string `json:"text"` // one sentence; it may quote what came from outside
	Hint    string `json:"hint,omitempty"`
}

// ofFiles is the subject of a problem of what is published.
const ofFiles = "published files"

// Problems lists what is wrong, the gravest first. None means that none was found by
// what Checked names.
func (s *Status) Problems() (all []Problem) {
	all = append(all, s.holdingsProblems()...)
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
	gravest := []Level{Bad, Warn, Note}
	slices.SortStableFunc(all, func(a, b Problem) int { return slices.Index(gravest, a.Level) - slices.Index(gravest, b.Level) })
	return all
}

// WithProblems is a status and what is wrong with it, for scripts: all that the page shows.
type WithProblems struct {
	*Status
	Problems []Problem `json:"problems"` // the gravest first; never null
}

// WithProblems adds the problems.
func (s *Status) WithProblems() WithProblems {
	return WithProblems{Status: s, Problems: append([]Problem{}, s.Problems()...)}
}

func (s *Status) holdingsProblems() []Problem {
	switch {
	case s.HoldingsError != "":
		return []Problem{{Level: Bad, Subject: ofFiles, Text: "what is published cannot be read: " + s.HoldingsError, Hint: "correct its permissions if that is the cause; otherwise 'flashback-sync repair' publishes it again"}}
	case s.Holdings == nil && len(s.Published.Altered) > 0: // it was published, and is gone: see Published
	case s.Holdings == nil && s.Progress.Alive(s.At):
		return []Problem{{Level: Note, Subject: ofFiles, Text: "the first run is under way, and nothing is published yet"}}
	case s.Holdings == nil:
		return []Problem{{Level: Warn, Subject: ofFiles, Text: "nothing is published yet", Hint: "'flashback-sync sync' publishes for the first time"}}
	}
	return nil
}

func (s *Status) ofRuns() (all []Problem) {
	if p := s.Progress; p != nil && !p.Alive(s.At) {
		all = append(all, Problem{
			Level: Bad, Subject: p.Command, Text: fmt.Sprintf("the last run was killed %s (out of memory, kill -9 or power loss)", span.Ago(s.At, p.UpdatedAt)),
			Hint: journal.CrashedHint,
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
