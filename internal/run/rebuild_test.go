package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

func (w *world) rebuild(o run.Options) audit.Repaired {
	w.t.Helper()
	w.runs++
	o.RunID = fmt.Sprintf("run-%03d", w.runs)
	done, err := audit.Rebuild(context.Background(), o, w.client)
	if err != nil {
		w.t.Fatal(err)
	}
	left := done.Left
	if left == nil {
		left = done.Found
	}
	if left.Status != audit.Match {
		w.t.Errorf("after the rebuild %s", explain(left))
	}
	return done
}

// A damaged warehouse is made again from the lake: nothing of it is asked of the
// source again, and statistics that the source no longer has survive.
func TestADamagedWarehouseIsMadeAgainFromTheLake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.start = noon.AddDate(0, 0, -10)
	o := w.options(alerts, policyStats)
	w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Hour), `{"id":"bad","timestamp":7}`)
	if _, err := w.sync(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	stats := w.published("SELECT count(*) FROM policy_stats WHERE closed")
	first := w.published("SELECT min(bucket_start) FROM policy_stats WHERE closed")
	w.sim.SetNow(noon.AddDate(0, 13, 0)) // what was read is out of the windows' reach
	if err := os.WriteFile(load.File(w.dir), []byte("not a database any more"), 0o600); err != nil {
		t.Fatal(err)
	}
	var damaged *duckdb.DamagedError
	if _, err := w.sync(context.Background(), o); !errors.As(err, &damaged) {
		t.Fatal(err)
	}
	w.sim.ResetRequests()
	o.Lists[0].Lookback = time.Hour
	done := w.rebuild(o)
	if len(done.Rebuilt.Lost) > 0 || !done.Rebuilt.Published || done.Rebuilt.Kept == "" {
		t.Errorf("%+v", done.Rebuilt)
	}
	if r := done.Summary.Streams[alerts]; r.Received > 30 {
		t.Errorf("%d rows were read again", r.Received)
	}
	if got := w.published("SELECT count(*) FROM policy_stats WHERE closed AND bucket_start < ?", noon); got != stats {
		t.Errorf("%s of %s old statistics survived", got, stats)
	}
	if got := w.published("SELECT min(bucket_start) FROM policy_stats WHERE closed"); got != first {
		t.Errorf("statistics begin at %s, not %s", got, first)
	}
	if got := w.published("SELECT count(*) FROM rejected_records"); got != "1" {
		t.Errorf("%s rejects", got)
	}
	w.holds(apisim.Alerts, w.typed(apisim.Alerts))
	content, err := os.ReadFile(done.Rebuilt.Kept)
	if err != nil || string(content) != "not a database any more" {
		t.Errorf("the old file was not kept: %q, %v", content, err)
	}
}

// What of the lake is damaged too is fetched again; what is not is not.
func TestARebuildFetchesWhatTheLakeLacks(t *testing.T) {
	t.Parallel()
	for _, published := range []bool{true, false} {
		t.Run(fmt.Sprint("published ", published), func(t *testing.T) {
			w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 15, AlertsPerDay: 100})
			o := w.options(alerts)
			o.PublishDuckDB = published
			w.mustSync(o)
			tamper(t, load.File(w.dir), "DELETE FROM internal.meta") // foreign now
			broken := filepath.Join(w.dir, "lake/alerts/date=2026-03-05/alerts.parquet")
			if err := os.Truncate(broken, 1000); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(w.dir, "lake/alerts/date=2026-03-09/alerts.parquet")); err != nil {
				t.Fatal(err)
			}
			o.Lists[0].Lookback = time.Hour
			done := w.rebuild(o)
			if len(done.Rebuilt.Lost) != 2 {
				t.Errorf("lost %v", done.Rebuilt.Lost)
			}
			if r := done.Summary.Streams[alerts]; (published && r.Received > 50) || (!published && (r.Received < 130 || r.Received > 270)) {
				t.Errorf("%d rows were read again", r.Received)
			}
			o.PublishDuckDB = true
			w.mustSync(o)
			w.equalsTruth(apisim.Alerts)
		})
	}
}

func TestARebuildWithoutAManifest(t *testing.T) {
	t.Parallel()
	for _, published := range []bool{true, false} {
		t.Run(fmt.Sprint("published ", published), func(t *testing.T) {
			w := synced(t, small(), alerts, policyStats)
			o := w.options(alerts, policyStats)
			old := w.published("SELECT count(*) FROM policy_stats WHERE closed")
			for _, path := range []string{load.File(w.dir), filepath.Join(w.dir, "lake/manifest.json")} {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if !published {
				if err := os.Remove(filepath.Join(w.dir, "flashback.duckdb")); err != nil {
					t.Fatal(err)
				}
			}
			w.sim.SetNow(noon.AddDate(0, 13, 0))
			if done := w.rebuild(o); done.Rebuilt.Kept != "" {
				t.Errorf("%+v", done.Rebuilt)
			}
			w.equalsTruth(apisim.Alerts)
			if got := w.published("SELECT count(*) FROM policy_stats WHERE closed AND bucket_start < ?", noon); got != old {
				t.Errorf("%s of %s old statistics survived", got, old)
			}
		})
	}
}

func TestAWarehouseOfANewerReleaseIsNotRebuilt(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	tamper(t, load.File(w.dir), "UPDATE internal.meta SET value = '999' WHERE key = 'schema_version'")
	before, _ := os.ReadFile(load.File(w.dir))
	var damaged *duckdb.DamagedError
	if _, err := audit.Rebuild(context.Background(), o, w.client); !errors.As(err, &damaged) || !damaged.Newer {
		t.Errorf("%v", err)
	}
	if after, _ := os.ReadFile(load.File(w.dir)); string(after) != string(before) {
		t.Error("the file was touched")
	}
}
