package run_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/internal/views"
	"github.com/flashback-sync/flashback-sync/load"
)

// Rows of expired time are a difference, wherever they are; the next run drops them.
func TestStoredRowsOfExpiredTimeAreFoundAndDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	o := w.keeping(alerts)
	w.mustSync(w.options(alerts))
	older := filepath.Join(t.TempDir(), "lake")
	if err := os.CopyFS(older, os.DirFS(filepath.Join(w.dir, "lake"))); err != nil {
		t.Fatal(err)
	}
	w.mustSync(o)
	tamper(t, load.File(w.dir), "INSERT INTO alerts SELECT * REPLACE ('back' AS id, timestamp - INTERVAL 7 DAY AS timestamp, date - 7 AS date) FROM alerts ORDER BY timestamp DESC LIMIT 1")
	found := w.verify(o)
	if found.Status != audit.Differs || !strings.Contains(explain(found), "have expired") {
		t.Errorf("%s", explain(found))
	}
	w.mustSync(o)
	w.matches(o)

	// The lake of before, and a warehouse that is made from it.
	if err := os.RemoveAll(filepath.Join(w.dir, "lake")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(w.dir, "lake"), os.DirFS(older)); err != nil {
		t.Fatal(err)
	}
	if found = w.verify(o); found.Status != audit.Differs || !strings.Contains(explain(found), "have expired") {
		t.Errorf("%s", explain(found))
	}
	if err := os.Remove(filepath.Join(w.dir, "flashback.duckdb")); err != nil {
		t.Fatal(err)
	}
	w.sim.ResetRequests()
	w.rebuild(o)
	if got := w.published("SELECT min(timestamp) >= ? FROM alerts", march(13)); got != "true" || w.lakeDays(alerts) != "13 14 15 16 17 18" {
		t.Errorf("what had expired is back: %s, %s", got, w.lakeDays(alerts))
	}
	w.matches(o)
}

// A rebuild finds in the manifest what has expired.
func TestARebuildKnowsWhatHasExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.mustSync(w.keeping(alerts))
	for _, path := range []string{load.File(w.dir), filepath.Join(w.dir, "lake", "alerts", "date=2026-03-14", "alerts.parquet")} {
		if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := w.options(alerts) // what expired, expired: whatever is kept now
	w.rebuild(o)
	if got := w.private("SELECT string_agg(status || ' ' || from_ts::DATE, ' ' ORDER BY status) FROM sync_coverage"); got != "covered 2026-03-13 expired 2026-03-09" {
		t.Errorf("ledger: %s", got)
	}
	w.matches(o)
}

// A file of a day that has expired is removed from the lake, and not taken for a sign that
// the warehouse is older.
func TestAFileOfExpiredTimeIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.mustSync(w.options(alerts))
	file := filepath.Join(w.dir, "lake", "alerts", "date=2026-03-11", "alerts.parquet")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSync(w.keeping(alerts))
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustSync(w.keeping(alerts))
	if got := w.lakeDays(alerts); got != "13 14 15 16 17 18" {
		t.Errorf("the lake has %s", got)
	}
}

// EraseBefore drops rows once, without the source.
func TestExpireBeforeADate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.plantCanary(march(11).Add(time.Hour))
	o := w.options()
	o.Views = []views.View{{Name: "support", Tables: []string{"alerts", "bi.events"}, Policy: policyOf(t, "names", nil)}}
	w.mustSync(o)
	if got := w.canaries(); !slices.Contains(got, "support.duckdb") {
		t.Fatalf("the canary is in %s", got)
	}
	w.sim.ResetRequests()
	o.RunID = "expiry"
	left, err := run.EraseBefore(context.Background(), o, march(12).Add(7*time.Hour))
	if err != nil || left[alerts]+left[violations] > 0 || len(w.sim.Requests()) > 0 {
		t.Fatalf("%v, %v, %d requests", err, left, len(w.sim.Requests()))
	}
	if got := w.canaries(); len(got) > 0 {
		t.Errorf("the canary is in %s", got)
	}
	if got := w.published("SELECT (SELECT min(timestamp)::DATE FROM alerts) || ' ' || (SELECT min(timestamp)::DATE FROM violations)"); got != "2026-03-12 2026-03-12" {
		t.Error(got)
	}
	w.matches(o)
	w.mustSync(o)
	if got := w.published("SELECT min(timestamp)::DATE FROM alerts"); !strings.HasPrefix(got, "2026-03-12") {
		t.Errorf("what was dropped is back: %s", got)
	}
}

// Rejects have no date; they go with what was rejected before it, and leave no byte, also
// where no row is as old.
func TestExpireErasesRejectsWithoutRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 3})
	at := w.sim.Now().Add(-30 * time.Hour)
	w.sim.AddRaw(apisim.Alerts, at, `{"id":12,"timestamp":"`+at.UTC().Format(time.RFC3339)+`","userId":"u-canary","userName":"Jane Canary"}`)
	o := w.options(alerts)
	if _, err := w.sync(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if len(w.search()) == 0 {
		t.Fatal("nobody is in the quarantine")
	}
	w.skew = 3 * day // the reject is three days old
	o.RunID = "expiry"
	if _, err := run.EraseBefore(context.Background(), o, noon.Add(day)); err != nil {
		t.Fatal(err)
	}
	w.gone()
}

// Neither status nor an analyst's question takes expired time for a gap, nor for complete.
func TestExpiredTimeIsNoGap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.mustSync(w.options())
	o := w.keeping()
	w.mustSync(o)
	stored, err := status.ReadHoldings(context.Background(), status.Source{DataDir: w.dir, DuckDB: true, Wanted: streams.Wanted(o.Privacy, o.Lists, o.Stats), At: w.sim.Now()})
	if err != nil {
		t.Fatal(err)
	}
	known := &status.Status{Holdings: stored, At: w.sim.Now()}
	of := known.Stream(alerts)
	if fresh := known.Fresh(alerts); len(of.Gaps()) > 0 || fresh == nil || !fresh.Equal(noon) {
		t.Errorf("gaps %v, fresh to %v", of.Gaps(), fresh)
	}
	if from := known.Brief().Streams[0].CoveredFrom; from == nil || !from.Equal(march(13)) {
		t.Errorf("covered from %v", from)
	}
	for period, want := range map[query.Period]string{
		{Last: march(17)}:                   "2026-03-13 to 2026-03-17: complete, every day of every configured stream is covered",
		{First: march(11), Last: march(14)}: "2026-03-11 to 2026-03-14: NOT complete, 2 of 4 days are; the others: 2026-03-11 (expired), 2026-03-12 (expired)",
	} {
		got, err := query.Completeness(context.Background(), query.Request{
			Database: filepath.Join(w.dir, "flashback.duckdb"), Period: period, Limits: query.DefaultLimits(),
		})
		if err != nil || got != want {
			t.Errorf("%s, %v", got, err)
		}
	}
}
