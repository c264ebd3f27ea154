package metrics

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) *time.Time {
	at := noon.Add(-d)
	return &at
}

// full is a status in which everything is known.
func full() *status.Status {
	good := journal.Run{
		RunID: "2", Command: "sync", Job: "sync", Status: journal.OK, StartedAt: noon.Add(-time.Hour), FinishedAt: *before(59 * time.Minute),
		Requests: map[string]int64{"200": 70, "429": 2, "799": 1, "none": 3}, Retries: 5, PeakBytes: 200 << 20, Verdict: "match",
		Streams: map[string]journal.Stream{"alerts": {Received: 100, Inserted: 40, Updated: 3, Rejected: 2, Complete: true, Served: true, To: before(time.Hour)}},
	}
	bad := journal.Run{
		RunID: "3", Command: "sync", Job: "sync", Status: journal.Failed, ExitCode: 5, PeakBytes: 90 << 20,
		StartedAt: *before(30 * time.Minute), FinishedAt: *before(30*time.Minute - 90*time.Second),
	}
	s := &status.Status{
		At: noon, Version: "v1.2.3", StaleAfter: 36 * time.Hour,
		Progress: &journal.Progress{RunID: "4", StartedAt: *before(time.Minute), UpdatedAt: *before(time.Second)},
		Jobs:     []status.Job{{Name: "sync", Next: noon.Add(time.Hour)}, {Name: "verify", Next: noon.Add(2 * time.Hour)}},
		Holdings: &status.Holdings{
			At: *before(time.Hour), DuckDBBytes: 3 << 20, LakeBytes: 2 << 20, LakeFiles: 12,
			Streams: []status.Stream{
				{
					Name: "alerts", Rows: 1234, Oldest: before(1000 * time.Hour), Newest: before(2 * time.Hour), Rejected: 2, Lookback: 72 * time.Hour,
					Lanes: []status.Lane{{
						Filter: "{}",
						Covered: checkpoints.Set{
							{From: *before(1000 * time.Hour), To: *before(500 * time.Hour)},
							{From: *before(400 * time.Hour), To: *before(time.Hour)},
						},
						Lost: checkpoints.Set{{From: *before(2000 * time.Hour), To: *before(1000 * time.Hour)}},
					}},
					Lateness: &status.Lateness{Rows: 9, Median: time.Minute, P99: time.Hour, Max: 1500 * time.Millisecond},
				},
				{Name: "violations"},
			},
		},
	}
	s.Runs = []journal.Run{bad, good}
	s.Totals = journal.Totals{
		Runs:     map[string]map[string]int64{"sync": {"ok": 10, "failed": 1, "skipped": 2}, "repair": {"ok": 1}},
		Requests: map[string]int64{"200": 700, "429": 2, "799": 1, "-5": 1, "none": 3}, Retries: 5,
		Seconds: map[string]float64{"sync": 150.5, "repair": 3},
		Good:    map[string]time.Time{"sync": good.FinishedAt},
		Streams: map[string]journal.StreamTotals{"alerts": {Received: 100, Inserted: 40, Updated: 3, Rejected: 2}},
	}
	return s
}

func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}
