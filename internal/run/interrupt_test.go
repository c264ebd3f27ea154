package run_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// interrupted runs until the nth request from now, then cancels.
func (w *world) interrupted(o run.Options, nth int) (*run.Summary, error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := w.sim.RequestCount()
	w.sim.SetOnRequest(func(_ *http.Request, n int) {
		if n-before >= nth {
			cancel()
		}
	})
	defer w.sim.SetOnRequest(nil)
	return w.sync(ctx, o)
}

// Deduplicating a table may take long. An interrupted run does not begin it, and publishes
// nothing; the next one does it first.
func TestInterruptedRunLeavesDedupingToTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts)
	if _, err := w.interrupted(o, 5); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	const unsettled = "SELECT (SELECT count(*) FROM internal.unsettled) || ' ' || (count(*) > 0) FROM alerts"
	if got := w.private(unsettled); got != "1 true" {
		t.Errorf("unsettled runs, rows: %s", got)
	}
	if files := w.files(); len(files) != 0 {
		t.Errorf("published: %v", files)
	}
	w.mustSync(o)
	if got := w.private(unsettled); got != "0 true" {
		t.Errorf("after the next run: %s", got)
	}
	w.equalsTruth(apisim.Alerts)
}

// coversOnlyWhatIsStored checks that the ledger claims no row that the warehouse lacks, and
// returns how many of the source's rows it claims.
func (w *world) coversOnlyWhatIsStored(stream apisim.Stream) (claimed int) {
	w.t.Helper()
	db := open(w.t, load.File(w.dir))
	defer func() { _ = db.Close() }()
	stored := read(w.t, db, schema.Ident(string(stream)), schema.ByName(string(stream)))
	rows, err := db.Query(`SELECT epoch_us(from_ts), epoch_us(to_ts) FROM sync_coverage WHERE stream = ? AND status = 'covered'`, string(stream))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	missing := 0
	for rows.Next() {
		var from, to int64
		if err := rows.Scan(&from, &to); err != nil {
			w.t.Fatal(err)
		}
		for _, row := range w.sim.Rows(stream) {
			if at := row.Timestamp.UnixMicro(); at >= from && at < to {
				claimed++
				if stored[row.ID] == nil {
					missing++
				}
			}
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	if missing > 0 {
		w.t.Errorf("%s: the ledger claims %d rows, %d of them are not stored", stream, claimed, missing)
	}
	return claimed
}

// many is a history of some forty pages; a commit takes a few of them.
func many(t *testing.T) *world {
	o := small()
	o.AlertsPerDay = 1000
	w := newWorld(t, o)
	w.step = 4 * time.Second
	return w
}

func TestAnInterruptedBackfillGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	w := many(t)
	o := w.options(alerts)
	summary, err := w.interrupted(o, 22)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	r := summary.Streams[alerts]
	if r.Complete || summary.Status != "failed" {
		t.Errorf("%s, %+v", summary.Status, *r)
	}
	claimed := w.coversOnlyWhatIsStored(apisim.Alerts)
	if stored := w.private("SELECT count(*) FROM alerts"); stored != strconv.FormatInt(r.Inserted, 10) || claimed < 1000 {
		t.Errorf("%s rows are stored, %d were counted, %d are covered", stored, r.Inserted, claimed)
	}
	if got := w.private("SELECT status FROM sync_runs"); got != "interrupted" {
		t.Errorf("sync_runs says %s", got)
	}

	again := w.mustSync(o).Streams[alerts]
	left := w.sim.Len(apisim.Alerts) - claimed
	inLookback := int(w.since(apisim.Alerts, w.sim.Now().Add(-lookback)))
	if bound := int64(left+inLookback)*105/100/100 + 20; again.Requests > bound {
		t.Errorf("%d requests for %d rows and %d of the lookback, want at most %d", again.Requests, left, inLookback, bound)
	}
	w.equalsTruth(apisim.Alerts)
}

func TestInterruptedRunCoversOnlyWhatIsStored(t *testing.T) {
	t.Parallel()
	w := many(t)
	o := w.options(alerts, violations, policyStats)
	for nth := 1; nth < 40; nth += 9 {
		if _, err := w.interrupted(o, nth); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted at request %d: %v", nth, err)
		}
		w.coversOnlyWhatIsStored(apisim.Alerts)
		w.coversOnlyWhatIsStored(apisim.Violations)
	}
	w.mustSync(o)
	w.equalsTruth()
}

// An interruption may hit a commit under way: what that commit lacks must not be
// covered by the next one.
func TestInterruptedCommitIsNotCovered(t *testing.T) {
	t.Parallel()
	w := many(t)
	o := w.options(alerts)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// The clock is looked at right before a commit, by the goroutine that makes it.
	w.onNow = func() {
		if w.sim.RequestCount() >= 10 {
			cancel()
		}
	}
	_, err := w.sync(ctx, o)
	w.onNow = nil
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.coversOnlyWhatIsStored(apisim.Alerts)
	w.mustSync(o)
	w.equalsTruth(apisim.Alerts)
}

func TestAnInterruptedRunPublishesLater(t *testing.T) {
	t.Parallel()
	w := many(t)
	o := w.options(alerts)
	if _, err := w.interrupted(o, 22); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(w.dir, "lake/alerts/*/*")); len(files) > 0 {
		t.Errorf("published: %v", files)
	}
	stored := w.private("SELECT count(*) FROM alerts")
	w.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 400})
	if _, err := w.sync(context.Background(), o); err != nil { // the source is of no use, the leftovers are published
		t.Fatal(err)
	}
	if got := w.published("SELECT count(*) FROM alerts"); got != stored || got != strconv.Itoa(len(w.lake(schema.Alerts()))) {
		t.Errorf("%s rows are published, %d in the lake, %s were stored", got, len(w.lake(schema.Alerts())), stored)
	}
}

func TestAStoppedStatisticsRunGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts, policyStats)
	o.Stats.Scopes = []streams.Scope{{Scope: "org"}, {Scope: "repo", Auto: true}}
	lists := w.mustSync(w.options(alerts)).Streams[alerts].Requests
	if _, err := w.interrupted(o, int(lists)+3); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.mustSync(o)
	want, _ := w.figures(map[string]string{"scope": "org", "window": "7d", "timeBucketSize": "1h"})
	got := map[string]fields{}
	for key, row := range w.statistics() {
		if row["scope"] == "org" {
			got[key] = row
		}
	}
	differ(t, "policy_stats", want, got)
}

// A run that was killed leaves its mark, and temporary files anywhere; one that ended
// leaves none in the folders of partitions, which are many.
func TestLeftoversOfACrashAreSwept(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	days, _ := filepath.Glob(filepath.Join(w.dir, "lake/alerts/*"))
	places := []string{
		filepath.Join(w.dir, ".flashback.duckdb.tmp-1"), filepath.Join(w.dir, "state", ".published.json.tmp-2"),
		filepath.Join(w.dir, "state", "last_run.json"), // of a former release
		filepath.Join(w.dir, "lake", ".room.tmp-3"),
	}
	for _, mark := range []bool{false, true} {
		if mark {
			places = append(places, filepath.Join(w.dir, "state/unpublished"),
				filepath.Join(days[0], ".alerts.parquet.tmp-4"))
		}
		for _, place := range places {
			if err := os.WriteFile(place, []byte("half a file"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		w.mustSync(o)
		for _, place := range places {
			if _, err := os.Lstat(place); err == nil {
				t.Errorf("mark %v: %s is still there", mark, place)
			}
		}
	}
}
