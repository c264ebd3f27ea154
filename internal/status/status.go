// Package status gathers what is known of a data_dir into one value, from what
// is published, the journal and the schedule. The status page, the report, the
// metrics and the alarms are drawn from it and from nothing else, so that they
// cannot disagree.
//
// Holdings, the part that needs DuckDB, is read by a process of its own where a
// server needs it: nothing that a file does to DuckDB can take the scheduler
// down. Reading changes nothing and waits for nobody.
package status

import (
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Status is all that is known of a data_dir at one moment. Times are UTC.
type Status struct {
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	Source  string    `json:"source"` // the API's base URL
	Host    string    `json:"host,omitempty"`
	DataDir string    `json:"data_dir,omitempty"`
	// Holdings is nil if nothing is published yet, or if it cannot be read:
	// then HoldingsError says why.
	Holdings      *Holdings `json:"holdings"`
	HoldingsError string    `json:"holdings_error,omitempty"`
	Published
	journal.Journal
	// Progress is the run under way, nil if there is none.
	Progress *journal.Progress `json:"progress"`
	// Jobs are those of the schedule, in a fixed order; empty where nothing
	// is scheduled by us.
	Jobs []Job `json:"jobs,omitempty"`
	// StaleAfter is how old a stream's freshness may become; 0 means that
	// nobody minds.
	StaleAfter time.Duration `json:"stale_after_ns"`
}

// Job is a job of the schedule.
type Job struct {
	Name     string    `json:"name"`     // sync, alerts, violations, policy_stats or verify
	Schedule string    `json:"schedule"` // as it was configured
	Timezone string    `json:"timezone"`
	Next     time.Time `json:"next"`
	Running  bool      `json:"running"`
	Waiting  bool      `json:"waiting"` // due, while another job runs
}

// Holdings is what is published.
type Holdings struct {
	// At is when the published ledger was written.
	At      time.Time `json:"at"`
	Streams []Stream  `json:"streams"` // those that are configured or have anything stored
	// Overview is nil without rows.
	Overview *Overview `json:"overview"`
	// Week is nil without rows, or if flashback.duckdb is not published.
	Week *Week `json:"week,omitempty"`
	// Bytes that the published files have: the DuckDB file (0 if none), the lake.
	DuckDBBytes int64 `json:"duckdb_bytes"`
	LakeBytes   int64 `json:"lake_bytes"`
	LakeFiles   int   `json:"lake_files"`
}

// Stream is what is stored of one stream.
type Stream struct {
	Name string `json:"name"` // alerts, violations or policy_stats
	Rows int64  `json:"rows"`
	// Oldest and Newest are the times of the first and last row; nil if none.
	Oldest *time.Time `json:"oldest"`
	Newest *time.Time `json:"newest"`
	// Wanted is what the configuration wants of it.
	Wanted journal.Wanted `json:"wanted,omitzero"`
	// Lanes are the ledger, one for each filter set (or series of statistics).
	Lanes []Lane `json:"lanes"`
	// Days are the rows of each UTC day that has any, in order. For statistics
	// they are the buckets of the day.
	Days []Day `json:"days"`
	// Rejected are the records in quarantine, and why; the most frequent first.
	Rejected int64    `json:"rejected"`
	Reasons  []Ranked `json:"reasons,omitempty"`
	// Lateness is nil if no row came late in the last 90 days.
	Lateness *Lateness `json:"lateness"`
	// Lookback is what the configuration sets; 0 for statistics.
	Lookback time.Duration `json:"lookback_ns"`
	// Retired says that the configuration does not name the stream any more: what is
	// stored of it stays, and no run reads more.
	Retired bool `json:"retired,omitempty"`
}

// Lane is the ledger of one filter set: what is covered, what the source can no longer
// give, and what was dropped on purpose.
type Lane struct {
	Filter  string          `json:"filter"` // the set as JSON; {} is everything
	Covered checkpoints.Set `json:"covered"`
	Lost    checkpoints.Set `json:"lost"`
	Expired checkpoints.Set `json:"expired,omitempty"`
}

// Day is a UTC day and its rows.
type Day struct {
	Date time.Time `json:"date"`
	Rows int64     `json:"rows"`
}

// Lateness is how late rows came in the last 90 days.
type Lateness struct {
	Rows   int64         `json:"rows"`
	Median time.Duration `json:"median_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
	// Classes is the histogram, in order.
	Classes []LateClass `json:"classes"`
}

// LateClass is one class of the histogram: rows up to so late.
type LateClass struct {
	UpTo time.Duration `json:"up_to_ns"`
	Rows int64         `json:"rows"`
}

// Overview is what the rows say, for people who would rather look than read. It
// covers whole UTC days.
type Overview struct {
	From time.Time `json:"from"` // the first day
	To   time.Time `json:"to"`   // the day after the last
	// Days are all days of the range in order, empty ones too.
	Days []OverviewDay `json:"days"`
	// Policies and Models are the ten with the most events, and the rest as one.
	Policies []Ranked `json:"policies"`
	Models   []Ranked `json:"models"`
	// People is nil unless personal names are configured to be shown.
	People []Ranked `json:"people,omitempty"`
}

// OverviewDay is what happened on a UTC day.
type OverviewDay struct {
	Date   time.Time `json:"date"`
	Alerts int64     `json:"alerts"`
	// Violations by severity; Unrated have none.
	High    int64 `json:"high"`
	Medium  int64 `json:"medium"`
	Low     int64 `json:"low"`
	Unrated int64 `json:"unrated"`
	Blocked int64 `json:"blocked"` // of the violations
	// Tokens that the policies' own checks read and wrote: their overhead. From
	// the statistics of the organisation, or of all repositories where these are
	// not synced; 0 where there are none.
	TokensIn  int64 `json:"tokens_in"`
	TokensOut int64 `json:"tokens_out"`
}

// Ranked is a name and its counts. Names come from outside: treat them as hostile.
type Ranked struct {
	Name       string `json:"name"` // "" for none; Other for all the rest
	Other      bool   `json:"other,omitempty"`
	Count      int64  `json:"count"` // events in all, or records of a reason
	Alerts     int64  `json:"alerts,omitempty"`
	Violations int64  `json:"violations,omitempty"`
	Blocked    int64  `json:"blocked,omitempty"`
}

// Stream finds what is stored of a stream, or nil.
func (s *Status) Stream(name string) *Stream {
	if s.Holdings == nil {
		return nil
	}
	for i := range s.Holdings.Streams {
		if s.Holdings.Streams[i].Name == name {
			return &s.Holdings.Streams[i]
		}
	}
	return nil
}
