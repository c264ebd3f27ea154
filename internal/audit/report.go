package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

// Status says how something compares with its original.
type Status string

const (
	// Match: no difference was found.
	Match Status = "match"
	// Missing: the original has something that the copy lacks.
	Missing Status = "missing"
	// Extra: the copy has something that the original no longer has. Rows that
	// the source has deleted are kept.
	Extra Status = "extra"
	// Differs: both have it, with other content.
	Differs Status = "differs"
	// Unproven: the source counts rows that it does not give.
	Unproven Status = "unproven"
	// NotServed: the source does not have this optional stream.
	NotServed Status = "not served"
	// NotSynced: nothing has been read yet.
	NotSynced Status = "not synced"
	// NotVerified: the source failed; see the stream's error.
	NotVerified Status = "not verified"
)

// BySeverity lists what a comparison can find, the worst first.
var BySeverity = []Status{Missing, Differs, Unproven, Extra}

// Severity orders statuses; a match has none.
func (s Status) Severity() int {
	if i := slices.Index(BySeverity, s); i >= 0 {
		return len(BySeverity) - i
	}
	return 0
}

// Worse is the worse of two statuses; "" says less than a match.
func Worse(a, b Status) Status {
	if b.Severity() > a.Severity() || a == "" {
		return b
	}
	return a
}

// Report is the outcome of a verification. Times are UTC.
type Report struct {
	Status      Status             `json:"status"` // differs if anything does; otherwise not verified if something was not compared; otherwise match
	Source      string             `json:"source"` // base URL
	DataDir     string             `json:"data_dir"`
	Generator   string             `json:"generator"` // name and release
	Full        bool               `json:"full"`      // every row was read, not only the totals
	StartedAt   time.Time          `json:"started_at"`
	FinishedAt  time.Time          `json:"finished_at"`
	Requests    int64              `json:"requests"`
	Streams     []*Stream          `json:"streams"`
	Files       []File             `json:"files"`   // of the lake, and the published DuckDB file
	CrossChecks []CrossCheck       `json:"witness"` // statistics against events; never decides the status
	Coverage    []checkpoints.Line `json:"coverage"`
}

// Stream is the verification of one stream and filter set.
type Stream struct {
	Stream string    `json:"stream"`
	Filter string    `json:"filter"` // the filter set, or the series, as JSON
	Status Status    `json:"status"`
	Error  string    `json:"error,omitempty"` // why it could not be verified
	From   time.Time `json:"from"`            // what was compared: inclusive
	To     time.Time `json:"to"`              // exclusive
	Source int64     `json:"source_rows"`     // counted by the source within these bounds
	Stored int64     `json:"held_rows"`       // counted in the warehouse within them
	// Withheld are rows that were read and that the privacy policy does not store.
	Withheld int64 `json:"withheld_rows"`
	Counts
	Days     []Day     `json:"days"`
	Findings []Finding `json:"findings"`
}

// Day is one range whose total was requested: a UTC day, its ends moved by
// milliseconds where rows lie on them.
type Day struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Source int64     `json:"source_rows"`
	Stored int64     `json:"held_rows"`
	Status Status    `json:"status"`
	// Withheld are rows that were read and that the privacy policy does not store.
	Withheld int64 `json:"withheld_rows,omitempty"`
}

// Counts are rows that differ, by how they do.
type Counts struct {
	Missing  int64 `json:"missing"`
	Extra    int64 `json:"extra"`
	Differs  int64 `json:"differs"`
	Unproven int64 `json:"unproven"`
}

// Finding is the smallest range in which a difference was found.
type Finding struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Counts
	Samples []string `json:"samples"` // some of the ids

	withheld int64
}

// File is the verification of one published file.
type File struct {
	Path   string `json:"path"` // below data_dir, with slashes
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256,omitempty"`
}

// CrossCheck compares the counts of a statistics series with the events of the same
// buckets.
type CrossCheck struct {
	Series  string    `json:"series"`
	Buckets int64     `json:"buckets"` // compared
	Agree   int64     `json:"agree"`
	First   time.Time `json:"first_disagreement,omitzero"`
	Counted int64     `json:"counted"` // events by the statistics, over these buckets
	Stored  int64     `json:"held"`    // events stored
}

// Interval is the finding's range.
func (f Finding) Interval() checkpoints.Interval {
	return checkpoints.Interval{From: f.From, To: f.To}
}

// Add adds further counts.
func (c *Counts) Add(more Counts) {
	c.Missing += more.Missing
	c.Extra += more.Extra
	c.Differs += more.Differs
	c.Unproven += more.Unproven
}

// Of is how many rows were found to have the status.
func (c Counts) Of(s Status) int64 {
	return map[Status]int64{Missing: c.Missing, Extra: c.Extra, Differs: c.Differs, Unproven: c.Unproven}[s]
}

// Worst is the worst status of what was counted.
func (c Counts) Worst() Status {
	for _, s := range BySeverity {
		if c.Of(s) > 0 {
			return s
		}
	}
	return Match
}

// Compared is false if nothing can be said of the stream.
func (s *Stream) Compared() bool { return s.Status == Match || s.Status.Severity() > 0 }

// Close adds up a stream's findings.
func (s *Stream) Close() {
	s.Counts = Counts{}
	for _, f := range s.Findings {
		s.Add(f.Counts)
	}
	s.Status = s.Worst()
}

// Fail notes why the stream could not be verified.
func (s *Stream) Fail(err error) error {
	s.Status, s.Error = NotVerified, err.Error()
	return err
}

// Repairable lists the ranges that reading again can repair: what is only extra is
// kept.
func (s *Stream) Repairable() checkpoints.Set {
	var intervals []checkpoints.Interval
	for _, f := range s.Findings {
		if f.Missing+f.Differs+f.Unproven > 0 {
			intervals = append(intervals, f.Interval())
		}
	}
	return checkpoints.Of(intervals...)
}

// Close derives the report's status. Lists are empty then, never null.
func (r *Report) Close() {
	r.Status = Match
	r.Streams, r.Files = append([]*Stream{}, r.Streams...), append([]File{}, r.Files...)
	r.CrossChecks, r.Coverage = append([]CrossCheck{}, r.CrossChecks...), append([]checkpoints.Line{}, r.Coverage...)
	for _, s := range r.Streams {
		s.Days, s.Findings = append([]Day{}, s.Days...), append([]Finding{}, s.Findings...)
		switch {
		case s.Status == NotVerified && r.Status == Match:
			r.Status = NotVerified
		case s.Status != Match && s.Status != NotServed && s.Status != NotVerified:
			r.Status = Differs
		}
	}
	if len(r.Altered()) > 0 {
		r.Status = Differs
	}
}

// Withheld is how many rows of the source were read and are not stored: they are of persons
// or conversations that were forgotten or are suppressed.
func (r *Report) Withheld() (n int64) {
	for _, s := range r.Streams {
		n += s.Withheld
	}
	return n
}

// Altered lists the published files that are not what they should be.
func (r *Report) Altered() (files []File) {
	for _, f := range r.Files {
		if f.Status != Match {
			files = append(files, f)
		}
	}
	return files
}

// NeverSynced reports whether there is a stream that no run has read.
func (r *Report) NeverSynced() bool {
	return slices.ContainsFunc(r.Streams, func(s *Stream) bool { return s.Status == NotSynced })
}

// Repairable reports whether a repair would find anything to repair: rows to read
// again, or files to publish again.
func (r *Report) Repairable() bool {
	return len(r.Altered()) > 0 || slices.ContainsFunc(r.Streams, func(s *Stream) bool { return len(s.Repairable()) > 0 })
}

// OnlyExtra reports whether all that differs is rows that the source has deleted.
func (r *Report) OnlyExtra() bool {
	return len(r.Altered()) == 0 && !slices.ContainsFunc(r.Streams, func(s *Stream) bool {
		return s.Status != Match && s.Status != NotServed && s.Status != Extra
	})
}

// Differences says what differs, in one line: of a stream with several queries once.
func (r *Report) Differences() string {
	var names, parts []string
	sums := map[string]*Counts{}
	for _, s := range r.Streams {
		if sums[s.Stream] == nil {
			names, sums[s.Stream] = append(names, s.Stream), &Counts{}
		}
		sums[s.Stream].Add(s.Counts)
		whole := s.Stream + " " + string(s.Status)
		if (s.Status == NotSynced || s.Status == NotVerified) && !slices.Contains(parts, whole) {
			parts = append(parts, whole)
		}
	}
	words := map[Status]string{Missing: "missing", Differs: "changed", Unproven: "unproven", Extra: "gone at the source"}
	for _, name := range names {
		for _, status := range BySeverity {
			if n := sums[name].Of(status); n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s in %s", humanize.Comma(n), words[status], name))
			}
		}
	}
	if files := len(r.Altered()); files > 0 {
		parts = append(parts, english.Plural(files, "file", ""))
	}
	return strings.Join(parts, ", ")
}
