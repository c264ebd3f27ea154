package load_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

const day = 24 * time.Hour

// finish notes a whole run.
func finish(t testing.TB, w *load.Warehouse, r load.Run) {
	t.Helper()
	ctx := context.Background()
	r.FinishedAt = r.StartedAt.Add(time.Minute)
	if err := w.StartRun(ctx, r.RunID, []string{r.Stream}, r.StartedAt); err != nil {
		t.Fatal(err)
	}
	if r.Status == "" {
		return // killed
	}
	if err := w.FinishRun(ctx, r); err != nil {
		t.Fatal(err)
	}
}

// removed counts what a Retain removed.
type removed struct {
	Runs, Lateness int64
	Rejects        map[string]int64
}

func retain(t testing.TB, w *load.Warehouse, keep load.Keep, now time.Time) (r removed) {
	t.Helper()
	count := func() (runs, lateness int64) {
		err := w.Conn().QueryRowContext(context.Background(), "SELECT (SELECT count(*) FROM sync_runs), (SELECT count(*) FROM sync_lateness)").Scan(&runs, &lateness)
		if err != nil {
			t.Fatal(err)
		}
		return runs, lateness
	}
	var err error
	r.Runs, r.Lateness = count()
	if r.Rejects, err = w.Retain(context.Background(), keep, now); err != nil {
		t.Fatal(err)
	}
	runs, lateness := count()
	r.Runs, r.Lateness = r.Runs-runs, r.Lateness-lateness
	return r
}

// Whoever asks what a stream's runs did is answered as before: what is due, how far
// it was read, how it went last.
func TestOldRunsAreRemovedExceptThoseStillNeeded(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	at := func(days int) time.Time { return epoch.AddDate(0, 0, days) }
	run := func(id, stream string, days int, complete bool, verified string, to time.Time) {
		finish(t, w, load.Run{
			RunID: id, Stream: stream, Status: "ok", StartedAt: at(days), Complete: complete, Verified: verified, From: epoch, To: to,
		})
	}
	run("first", "alerts", 0, true, "", at(0))
	run("old", "alerts", 1, true, "", at(1))
	run("old-verified", "alerts", 2, true, "match", at(2))
	run("verified", "alerts", 3, true, "match", at(3))
	run("furthest", "alerts", 4, true, "", at(400))
	run("complete", "alerts", 5, true, "", at(5))
	run("finished", "alerts", 6, false, "", at(6))
	run("other-first", "violations", 0, true, "", at(0))
	run("other-old", "violations", 1, true, "", at(1))
	run("other", "violations", 500, true, "", at(500))
	finish(t, w, load.Run{RunID: "killed", Stream: "alerts", StartedAt: at(7)})
	ctx := context.Background()
	verified, _ := w.LastVerified(ctx, "alerts")
	first, _ := w.FirstRun(ctx, "violations")

	now := at(500)
	if removed := retain(t, w, load.Keep{}, now); removed.Runs != 0 {
		t.Errorf("kept indefinitely, and %d removed", removed.Runs)
	}
	if removed := retain(t, w, load.Keep{Runs: 499 * day}, now.Add(23*time.Hour)); removed.Runs != 0 {
		t.Errorf("%d removed before a day was over", removed.Runs)
	}
	if removed := retain(t, w, load.Keep{Runs: 400 * day}, now); removed.Runs != 4 {
		t.Errorf("%d removed", removed.Runs)
	}
	if removed := retain(t, w, load.Keep{Runs: 400 * day}, now); removed.Runs != 0 {
		t.Errorf("%d removed the second time", removed.Runs)
	}
	if again, err := w.LastVerified(ctx, "alerts"); err != nil || !again.Equal(verified) {
		t.Errorf("verified last at %v, before %v, %v", again, verified, err)
	}
	if again, err := w.FirstRun(ctx, "violations"); err != nil || !again.Equal(first) {
		t.Errorf("first run at %v, before %v, %v", again, first, err)
	}
	_ = w.Close()
	if got, want := query(t, dir, "SELECT string_agg(run_id, ' ' ORDER BY started_at, run_id) FROM sync_runs"),
		"first other-first verified furthest complete finished other"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
}

func TestOldLatenessIsRemovedAndRowsAreKept(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	w := open(t, dir)
	covered := checkpoints.Of(checkpoints.Interval{From: epoch, To: epoch.Add(48 * time.Hour)})
	for i, at := range []time.Time{epoch, epoch.AddDate(0, 0, 30)} {
		id := fmt.Sprint("run-", i)
		if _, err := w.Commit(ctx, load.Commit{
			RunID: id, Stream: "alerts", Rows: []load.Rows{batch(t, alert{id, epoch.Add(time.Hour), "late"})},
			Coverage: []load.Coverage{{Key: checkpoints.Key{Stream: "alerts", Filter: "{}"}, Status: checkpoints.Covered, Set: covered}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.RecordLateness(ctx, id, schema.Alerts(), at, covered); err != nil {
			t.Fatal(err)
		}
	}
	removed := retain(t, w, load.Keep{Runs: 10 * day, Rejects: day}, epoch.AddDate(0, 0, 31))
	if removed.Lateness != 1 || removed.Runs != 0 || len(removed.Rejects) != 0 {
		t.Errorf("%+v", removed)
	}
	_ = w.Close()
	if got := query(t, dir, "SELECT string_agg(run_id, ' ') FROM sync_lateness"); got != "run-1" {
		t.Errorf("left is %s", got)
	}
	if got := query(t, dir, "SELECT (SELECT count(*) FROM alerts) || ' ' || (SELECT count(*) FROM sync_coverage)"); got != "2 1" {
		t.Errorf("rows and coverage: %s", got)
	}
}

// A record that was removed from the quarantine is known: the lookback that meets it
// again does not bring it back, and a comparison does not miss it.
func TestARemovedRejectIsKnown(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	now := epoch
	w, err := load.Open(ctx, load.Options{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	quarantine := func(stream string, raw ...string) load.Counts {
		var rejects []schema.Reject
		for _, text := range raw {
			rejects = append(rejects, schema.Reject{Reason: "?", Raw: text})
		}
		counts, err := w.Commit(ctx, load.Commit{RunID: "run", Stream: stream, Rejects: rejects})
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	old, secret := `{"id":1,"message":"it's a sécret \xFF"}`, "sécret"
	quarantine("alerts", old, `{"id":2}`)
	quarantine("violations", old)
	now = epoch.Add(36 * time.Hour)
	quarantine("alerts", `{"id":3}`)

	now = epoch.Add(96 * time.Hour)
	removed := retain(t, w, load.Keep{Rejects: 70 * time.Hour}, now)
	if want := map[string]int64{"alerts": 2, "violations": 1}; !maps.Equal(removed.Rejects, want) {
		t.Errorf("removed %v, want %v", removed.Rejects, want)
	}
	if counts := quarantine("alerts", old, `{"id":3}`); counts.Quarantined != 0 {
		t.Errorf("%d came back", counts.Quarantined)
	}
	if counts := quarantine("violations", `{"id":2}`); counts.Quarantined != 1 {
		t.Error("what one stream knows another does, too")
	}
	known(t, w, map[string]bool{old: true, `{"id":3}`: true, `{"id":4}`: false})
	_ = w.Close()
	if got := query(t, dir, "SELECT count(*) FROM internal.meta WHERE contains(value, '"+secret+"')"); got != "0" {
		t.Error("the text was kept")
	}
	if got := query(t, dir, "SELECT string_agg(raw, ' ' ORDER BY raw) FROM rejected_records"); got != `{"id":2} {"id":3}` {
		t.Errorf("left is %s", got)
	}
}

// known checks which rejects of alerts the warehouse knows, for a comparison with the
// source.
func known(t *testing.T, w *load.Warehouse, want map[string]bool) {
	t.Helper()
	tx, err := w.Conn().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for raw, want := range want {
		if known, err := load.KnowsReject(t.Context(), tx, "alerts", raw); err != nil || known != want {
			t.Errorf("%s: known %v, want %v, %v", raw, known, want, err)
		}
	}
}

func TestWhatACrashLeftOfANewWarehouseIsRemoved(t *testing.T) {
	dir := t.TempDir()
	_ = open(t, dir).Close()
	if err := os.Mkdir(load.File(dir)+".new.rows", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".new", ".new.wal", ".new.rows/alerts-0.parquet", ".before-20240101T000000.000000000Z"} {
		overwrite(t, load.File(dir)+name, []byte("left"))
	}
	_ = open(t, dir).Close()
	left := fmt.Sprint(names(t, load.File(dir)+"*"))
	if left != "[warehouse.duckdb warehouse.duckdb.before-20240101T000000.000000000Z]" {
		t.Errorf("left are %s", left)
	}
}

// BenchmarkRetainNothing is what a run pays that has nothing to remove, after 400
// days of a run every five minutes.
func BenchmarkRetainNothing(b *testing.B) {
	dir := b.TempDir()
	_ = open(b, dir).Close()
	db, err := duckdb.Open(load.File(dir), duckdb.Session{})
	if err != nil {
		b.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO sync_runs (run_id, stream, status, started_at, finished_at, to_ts, complete, version)
			SELECT uuid()::VARCHAR, s.stream, 'ok', began, began + INTERVAL 1 MINUTE, began, true, 'test'
			FROM range(TIMESTAMPTZ '2024-01-01', TIMESTAMPTZ '2025-02-04', INTERVAL 5 MINUTE) t(began), (VALUES ('alerts'), ('violations'), ('policy_stats')) s(stream)
			ORDER BY began`,
		`INSERT INTO sync_lateness SELECT run_id, stream, started_at, 60, 1, 30 FROM sync_runs WHERE stream <> 'policy_stats'`,
		`INSERT INTO rejected_records SELECT 'alerts', 'run', 'id is missing', '{"n":' || n || ',"message":"' || repeat('x', 1000) || '"}', TIMESTAMPTZ '2025-01-01' FROM range(20000) r(n)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	w := open(b, dir)
	keep := load.Keep{Runs: 400 * day, Rejects: 400 * day}
	now := time.Date(2025, 2, 4, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		if removed := retain(b, w, keep, now); removed.Runs+removed.Lateness != 0 {
			b.Fatalf("%+v", removed)
		}
	}
	b.StopTimer()
	started := time.Now()
	removed := retain(b, w, keep, now.Add(day))
	b.ReportMetric(float64(time.Since(started).Milliseconds()), "ms/removal")
	b.ReportMetric(float64(removed.Runs), "rows/removal")
}

// names are those of the files that match.
func names(t *testing.T, pattern string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}
