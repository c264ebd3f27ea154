package status

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Brief is a status in short: what `status --json` prints. Times are UTC.
type Brief struct {
	DataDir string        `json:"data_dir"`
	Streams []BriefStream `json:"streams"`
	LastRun *journal.Run  `json:"last_run"`
	Runs    []BriefRun    `json:"runs"` // of each stream, the newest first

	Problems []Problem `json:"problems"` // the gravest first
	Checked  string    `json:"checked"`  // what was checked, and when
}

// BriefStream is what is known of a stream.
type BriefStream struct {
	Stream       string         `json:"stream"`
	Rows         int64          `json:"rows"`
	Newest       *time.Time     `json:"newest_row"`
	CoveredFrom  *time.Time     `json:"covered_from"`
	CoveredTo    *time.Time     `json:"covered_to"` // by every query of the stream; null if one was never read completely
	Gaps         int            `json:"gaps"`       // holes between covered intervals of one filter set
	Lost         int            `json:"lost"`       // intervals that the source can no longer give
	Rejected     int64          `json:"rejected"`
	Lateness     *BriefLateness `json:"lateness"` // null if no row was late, or nothing is known yet
	LastComplete bool           `json:"last_run_complete"`
}

// BriefLateness is how late the rows of a stream came in the last 90 days.
type BriefLateness struct {
	Rows      int64            `json:"rows"`
	MaxS      int64            `json:"max_s"`
	Histogram []BriefLateClass `json:"histogram"`
}

// BriefLateClass is one class of the histogram.
type BriefLateClass struct {
	UpToS int64 `json:"up_to_s"`
	Rows  int64 `json:"rows"`
}

// BriefRun is what a run did with one stream.
type BriefRun struct {
	RunID    string    `json:"run_id"`
	Stream   string    `json:"stream"`
	Status   string    `json:"status"`
	Started  time.Time `json:"started_at"`
	Inserted int64     `json:"rows_inserted"`
	Updated  int64     `json:"rows_updated"`
	Requests int64     `json:"requests"`
	Error    *string   `json:"error"`
}

// Brief reads nothing else, so that it and the page cannot disagree.
func (s *Status) Brief() *Brief {
	b := &Brief{DataDir: s.DataDir, LastRun: s.LastRun(), Runs: briefRuns(s.Runs), Problems: s.WithProblems().Problems, Checked: s.Checked()}
	for _, name := range StreamNames() {
		b.Streams = append(b.Streams, s.briefStream(name))
	}
	return b
}

func (s *Status) briefStream(name string) BriefStream {
	b := BriefStream{Stream: name, CoveredTo: s.Fresh(name), LastComplete: s.LastComplete(name)}
	stored := s.Stream(name)
	if stored == nil {
		return b
	}
	b.Rows, b.Newest, b.Rejected, b.Lateness = stored.Rows, stored.Newest, stored.Rejected, stored.Lateness.brief()
	b.Gaps, b.Lost = len(stored.Gaps()), len(stored.Lost())
	for _, lane := range stored.Lanes {
		if len(lane.Covered) > 0 && (b.CoveredFrom == nil || lane.Covered[0].From.Before(*b.CoveredFrom)) {
			b.CoveredFrom = &lane.Covered[0].From
		}
	}
	return b
}

func (l *Lateness) brief() *BriefLateness {
	if l == nil {
		return nil
	}
	b := &BriefLateness{Rows: l.Rows, MaxS: int64(l.Max / time.Second)}
	for _, class := range l.Classes {
		b.Histogram = append(b.Histogram, BriefLateClass{UpToS: int64(class.UpTo / time.Second), Rows: class.Rows})
	}
	return b
}

func briefRuns(runs []journal.Run) []BriefRun {
	const most = 12
	lines := []BriefRun{}
	for _, r := range runs {
		for _, name := range slices.Sorted(maps.Keys(r.Streams)) {
			of := r.Streams[name]
			lines = append(lines, BriefRun{
				RunID: r.RunID, Stream: name, Status: cmp.Or(of.Status, r.Status), Started: r.StartedAt,
				Inserted: of.Inserted, Updated: of.Updated, Requests: of.Requests, Error: of.Error,
			})
		}
	}
	return lines[:min(len(lines), most)]
}
