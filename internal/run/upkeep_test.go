package run_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
)

func TestLatenessIsStored(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	if got := w.published("SELECT count(*) FROM sync_lateness"); got != "0" {
		t.Fatalf("the first run found %s late rows", got)
	}
	w.add(apisim.Alerts, w.sim.Now().Add(-5*time.Hour), 3)
	w.add(apisim.Alerts, w.sim.Now().Add(-30*time.Minute), 2)
	w.sim.Advance(time.Hour)
	w.add(apisim.Alerts, w.sim.Now().Add(-time.Minute), 4) // newer than what was read: not late
	w.mustSync(o)
	got := w.published(`SELECT string_agg(up_to_s || ':' || "rows" || ':' || (max_s <= up_to_s), ' ' ORDER BY up_to_s) FROM sync_lateness`)
	if want := "3600:2:true 21600:3:true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	w.mustSync(o)
	if again := w.published("SELECT sum(rows) FROM sync_lateness"); again != "5" {
		t.Errorf("%s late rows after a run without any", again)
	}
	tamper(t, load.File(w.dir), "DELETE FROM alerts WHERE timestamp < TIMESTAMPTZ '2026-03-16'")
	w.repair(o)
	if again := w.published("SELECT sum(rows) FROM sync_lateness"); again != "5" {
		t.Errorf("what a repair restored counts as late: %s", again)
	}
}

func TestSyncVerifiesWhenDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 70, AlertsPerDay: 20})
	o := w.options(alerts)
	o.VerifyEvery = 7 * day
	if first := w.mustSync(o); first.Streams[alerts].Verified != "" {
		t.Error("the first run verified what it had just read")
	}
	late := w.add(apisim.Alerts, noon.AddDate(0, 0, -40), 1)
	w.sim.Advance(6 * day)
	if early := w.mustSync(o); early.Streams[alerts].Verified != "" {
		t.Error("verified too early")
	}
	w.sim.Advance(day)
	w.sim.ResetRequests()
	summary, err := w.sync(context.Background(), o)
	r := summary.Streams[alerts]
	if err != nil || !errors.Is(r.Err, run.ErrIncomplete) || r.Verified != "missing" || r.VerifiedMissing != 1 || r.Complete {
		t.Fatalf("%v, %+v", err, r)
	}
	if n := len(w.sim.Requests()); n > 30 {
		t.Errorf("%d requests", n)
	}
	if got := w.published("SELECT count(*) FROM sync_runs WHERE verified = 'missing' AND verified_missing = 1"); got != "1" {
		t.Errorf("sync_runs holds it %s times", got)
	}
	w.repair(o)
	if got := w.published("SELECT count(*) FROM alerts WHERE id = ?", late[0]); got != "1" {
		t.Error("the row that the verification missed was not restored")
	}
	w.sim.Delete(apisim.Alerts, late[0])
	w.sim.Advance(7 * day)
	if again := w.mustSync(o); again.Streams[alerts].Verified != "extra" || len(w.warnings) == 0 {
		t.Errorf("%+v, %v", again.Streams[alerts], w.warnings)
	}
}

// What an older release could not type is typed by a newer one. A row that the
// source has since given in another version keeps it.
func TestRejectsAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts)
	w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Hour), `{"id":"never","timestamp":"soon"}`)
	w.mustSyncPartly(o)
	stored := w.sim.Rows(apisim.Alerts)[3].ID
	tamper(t, load.File(w.dir),
		`INSERT INTO rejected_records VALUES ('alerts', 'run-000', 'a type that was not known', '{"id":"again","timestamp":"2026-03-17T10:00:00Z","message":"typed now"}', '2026-03-17T11:00:00Z')`,
		`INSERT INTO rejected_records VALUES ('alerts', 'run-000', 'a type that was not known', '{"id":"`+stored+`","timestamp":"2026-03-17T10:00:00Z","message":"an old version"}', '2026-03-17T11:00:00Z')`)
	o.RetryRejected = true
	summary := w.mustSyncPartly(o)
	if got := summary.Streams[alerts].Recovered; got != 2 {
		t.Errorf("%d recovered", got)
	}
	if got := w.published("SELECT string_agg(raw, ' ') FROM rejected_records"); got != `{"id":"never","timestamp":"soon"}` {
		t.Errorf("still rejected: %s", got)
	}
	if got := w.published("SELECT count(*) FROM alerts WHERE message = 'typed now'") + w.published("SELECT count(*) FROM alerts WHERE message = 'an old version'"); got != "10" {
		t.Errorf("%s rows of the quarantine are stored, want the first only", got)
	}
	if got := w.published("SELECT rows_recovered FROM sync_runs WHERE run_id = 'run-002'"); got != "2" {
		t.Errorf("sync_runs says %s", got)
	}
}

// mustSyncPartly runs once; too many rejects of a small source are no failure here.
func (w *world) mustSyncPartly(o run.Options) *run.Summary {
	w.t.Helper()
	summary, err := w.sync(context.Background(), o)
	for _, r := range summary.Streams {
		if r.Err != nil && !errors.Is(r.Err, run.ErrIncomplete) {
			err = errors.Join(err, r.Err)
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return summary
}

// The first release's data_dir is taken over, and published in the new layout.
func TestAnOlderDataDirIsTakenOver(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	for _, path := range []string{load.File(w.dir), filepath.Join(w.dir, "flashback.duckdb")} {
		tamper(t, path, "DROP TABLE sync_lateness", "ALTER TABLE sync_runs DROP COLUMN rows_recovered",
			"ALTER TABLE sync_runs DROP COLUMN verified", "ALTER TABLE sync_runs DROP COLUMN verified_missing")
	}
	tamper(t, load.File(w.dir), "UPDATE internal.meta SET value = '1' WHERE key = 'schema_version'")
	w.matches(o)
	w.mustSync(o)
	if got := w.published("SELECT count(*) FROM sync_lateness"); got != "0" {
		t.Error(got)
	}
	w.equalsTruth(apisim.Alerts)
}

// What former releases quoted of answers is removed from the warehouse and from the
// published file; what this release writes stays.
func TestQuotesOfFormerReleasesAreRemoved(t *testing.T) {
	t.Parallel()
	const jane = "Jane_Doe_9f3c71"
	quoted := []string{
		"UPDATE sync_runs SET error = 'the answer is not a page: " + jane + "'",
		"INSERT INTO rejected_records SELECT 'alerts', run_id, 'unreadable JSON: jsontext: " + jane + "', 'raw 1', now() FROM sync_runs LIMIT 1",
		"INSERT INTO rejected_records SELECT 'alerts', run_id, '" + strings.ReplaceAll(jane, "_", " ") + " is there twice', 'raw 2', now() FROM sync_runs LIMIT 1",
		"INSERT INTO rejected_records SELECT 'alerts', run_id, 'id is there twice', 'raw 3', now() FROM sync_runs LIMIT 1",
		"CHECKPOINT",
	}
	const reasons = "SELECT string_agg(reason, ', ' ORDER BY raw) FROM rejected_records"
	const kept = "unreadable JSON, a field is there twice, id is there twice"
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	tamper(t, filepath.Join(w.dir, "flashback.duckdb"), quoted...)
	tamper(t, load.File(w.dir), append(quoted, "UPDATE internal.meta SET value = '2' WHERE key = 'schema_version'")...)
	w.mustSync(o)
	if got := w.published("SELECT string_agg(DISTINCT error, ', ') FROM sync_runs"); got != "removed: recorded by a release that quoted answers" {
		t.Error(got)
	}
	if got := w.published(reasons); got != kept {
		t.Error(got)
	}
	failed := o
	failed.Lists[0].Policies = []string{"unknown"}
	if _, err := w.sync(context.Background(), failed); err != nil {
		t.Fatal(err)
	}
	if got := w.private("SELECT count(*) FROM sync_runs WHERE error LIKE '%HTTP 404%'"); got != "1" {
		t.Errorf("%s texts of this release are there", got)
	}
	tamper(t, filepath.Join(w.dir, "flashback.duckdb"), quoted[0], "DELETE FROM rejected_records", quoted[1], quoted[2], quoted[3])
	w.rebuild(w.options(alerts))
	if got := w.published("SELECT count(*) FROM sync_runs WHERE error LIKE '%Jane%'") + w.published(reasons); got != "0"+kept {
		t.Errorf("after a rebuild: %s", got)
	}
}
