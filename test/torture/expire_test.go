//go:build linux && amd64

package torture

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// canary is a text that only a row of the last day that expires has.
const canary = "CANARY-7e21-never-again"

// kept is the first day that is kept, two days before the source's now.
var kept = time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)

// expiring is a stage whose run lets the days before kept expire. The source has dropped
// them, too, so that what is left is all that it has.
func expiring(t *testing.T) *stage {
	t.Helper()
	s := &stage{world: newWorld(t, 9)}
	row := s.sim.NewRow(apisim.Alerts, kept.Add(-time.Hour), 0)
	row.Message, row.PolicyID, row.PolicyName, row.UserName = canary, canary, canary, canary
	s.sim.AddAlerts(row)
	s.base = filepath.Join(s.dir, "base")
	s.useFolder(s.base)
	s.sync()
	s.settings = "retention: {alerts: 2d, violations: 2d, policy_stats: 2d}\n"
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		s.sim.Edit(stream, func(r *apisim.Row) bool { return !r.Timestamp.Before(kept) })
	}
	return s
}

// expired says that nothing of the days before kept is left in any file.
func (s *stage) expired() {
	s.t.Helper()
	db, err := sql.Open("duckdb", published(s.data)+"?access_mode=READ_ONLY")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for table, column := range map[string]string{"alerts": "timestamp", "violations": "timestamp", "policy_stats": "bucket_start", "events_daily": "day", "names_daily": "day"} {
		var left int
		if err := db.QueryRow("SELECT count(*) FROM "+table+" WHERE "+column+" < ?", kept).Scan(&left); err != nil || left > 0 {
			s.t.Errorf("%d rows of %s have expired and are published, %v", left, table, err)
		}
	}
	err = filepath.WalkDir(s.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(canary)) {
			s.t.Errorf("%s has a text that expired", path)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if days, _ := filepath.Glob(filepath.Join(s.data, "lake", "alerts", "date=2026-03-1[0-5]")); len(days) > 0 {
		s.t.Errorf("the lake has %v", days)
	}
}

// rewriting are the steps by which the warehouse is made anew.
var rewriting = []step{
	{"the new warehouse is created", "openat state/warehouse.duckdb.new"},
	{"the new warehouse is synced", "fsync state/warehouse.duckdb.new"},
	{"the new warehouse is put in its place", "rename state/warehouse.duckdb"},
	{"a day's file is removed", "unlink lake/alerts/*/*.parquet"},
	{"the manifest is put in its place", "rename lake/manifest.json"},
	{"the snapshot is put in its place", "rename flashback.duckdb"},
	{"the mark is removed", "unlink state/unpublished"},
}

// Killed before each step of an expiry, and at calls between them: the next run lets the
// same days expire, and no other.
func TestKilledWhileDaysExpire(t *testing.T) {
	if os.Getenv("TORTURE_ALL") == "" {
		t.Skip("it takes minutes: make torture runs it")
	}
	t.Parallel()
	long(t)
	tracing(t)
	s := expiring(t)
	s.set(t)
	s.traced(func(c call) verdict { s.calls = append(s.calls, c); return verdict{} }, "sync")
	s.equalsTruth()
	s.expired()
	if t.Failed() {
		t.FailNow()
	}
	for _, step := range rewriting {
		t.Run(step.name, func(t *testing.T) {
			if !s.killed(t, step.matches, 1, verdict{kill: true}) {
				t.Error("this step is not taken: the protocol has changed, and so must this table")
			}
			s.expired()
		})
	}
	most := 8
	if exhaustive() {
		most = len(s.calls)
	}
	for i, n := range sample(len(s.calls), most) {
		s.killed(t, func(call) bool { return true }, n+1, verdict{kill: true, half: s.calls[n].writes() && i%2 == 0})
		s.expired()
		if t.Failed() {
			t.Fatalf("at call %d of %d: %v", n+1, len(s.calls), s.calls[n])
		}
	}
}
