package run_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

var everything = []string{alerts, violations, policyStats}

// verify runs a verification that must not fail.
func (w *world) verify(o run.Options) *audit.Report {
	w.t.Helper()
	report, err := audit.Verify(context.Background(), o, w.client)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// matches wants a verification that finds nothing.
func (w *world) matches(o run.Options) {
	w.t.Helper()
	if report := w.verify(o); report.Status != audit.Match {
		w.t.Errorf("%s", explain(report))
	}
}

func explain(r *audit.Report) (text string) {
	text = string(r.Status)
	for _, s := range r.Streams {
		if s.Status != audit.Match {
			text += fmt.Sprintf("\n%s %s: %s %+v", s.Stream, s.Filter, s.Status, s.Findings)
		}
	}
	for _, f := range r.Files {
		if f.Status != audit.Match {
			text += fmt.Sprintf("\n%s: %s %s", f.Path, f.Status, f.Detail)
		}
	}
	return text
}

// tamper changes a DuckDB file by hand.
func tamper(t tester, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) repair(o run.Options) audit.Repaired {
	w.t.Helper()
	w.runs++
	o.RunID = fmt.Sprintf("run-%03d", w.runs)
	done, err := audit.Repair(context.Background(), o, w.client)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func TestAHealthyWarehouseMatches(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), everything...)
	o := w.options(everything...)
	report := w.verify(o)
	if report.Status != audit.Match {
		t.Errorf("%s", explain(report))
	}
	if len(report.Streams) != 3 || len(report.Files) < 8 || len(report.CrossChecks) == 0 || len(report.Coverage) == 0 {
		t.Errorf("an empty proof: %+v", report)
	}
	if s := report.Streams[0]; s.Stored != int64(w.sim.Len(apisim.Alerts)) || s.Source != s.Stored || len(s.Days) < 3 {
		t.Errorf("%+v", s)
	}
	for _, check := range report.CrossChecks {
		if check.Agree != check.Buckets || check.Buckets == 0 {
			t.Errorf("%+v", check)
		}
	}
	o.Full = true
	w.matches(o)
}

func TestRowsDeletedByHandAreFoundAndRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 40, AlertsPerDay: 250, ViolationsPerDay: 20})
	o := w.options(everything...)
	w.mustSync(o)
	tamper(t, load.File(w.dir),
		"DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE timestamp < TIMESTAMPTZ '2026-03-01 00:00:00Z' ORDER BY timestamp DESC LIMIT 3)",
		"UPDATE policy_stats SET violations = violations + 7 WHERE closed AND bucket_start = (SELECT max(bucket_start) FROM policy_stats WHERE closed)")
	report := w.verify(o)
	if s := report.Streams[0]; s.Missing != 3 || s.Extra+s.Differs != 0 || len(s.Findings) != 1 {
		t.Errorf("%s", explain(report))
	}
	if s := report.Streams[2]; s.Differs != 1 {
		t.Errorf("%s", explain(report))
	}
	w.sim.ResetRequests()
	done := w.repair(o)
	asked := len(w.sim.Requests())
	if done.Left == nil || done.Left.Status != audit.Match {
		t.Fatalf("%s\nleft %s", explain(done.Found), explain(done.Left))
	}
	if pages := w.sim.Len(apisim.Alerts) / 100; asked > 60 || asked > pages/3 {
		t.Errorf("%d requests to restore 3 rows of %d pages", asked, pages)
	}
	w.matches(o)
	w.equalsTruth(apisim.Alerts, apisim.Violations)
}

func TestFilesDamagedByHandAreFoundAndRestored(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), everything...)
	o := w.options(everything...)
	files, _ := filepath.Glob(filepath.Join(w.dir, "lake/alerts/*/alerts.parquet"))
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	stray := filepath.Join(w.dir, "lake/alerts/date=2020-01-01/alerts.parquet")
	for path, content := range map[string][]byte{files[0]: content, stray: content} {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(files[1]); err != nil {
		t.Fatal(err)
	}
	tamper(t, filepath.Join(w.dir, "flashback.duckdb"), "DELETE FROM violations WHERE timestamp > TIMESTAMPTZ '2026-03-17'")
	report := w.verify(o)
	count := map[audit.Status]int{}
	for _, f := range report.Files {
		count[f.Status]++
	}
	if count[audit.Differs] != 2 || count[audit.Missing] != 1 || count[audit.Extra] != 1 || report.Status != audit.Differs {
		t.Errorf("%s", explain(report))
	}
	if done := w.repair(o); done.Left == nil || done.Left.Status != audit.Match {
		t.Fatalf("left %s", explain(done.Left))
	}
	w.matches(o)
	if _, err := os.Stat(stray); err == nil {
		t.Error("a file of rows that nobody holds is still there")
	}
}

func TestRowsGoneAtTheSourceAreReportedAndKept(t *testing.T) {
	t.Parallel()
	w := synced(t, small(), alerts)
	o := w.options(alerts)
	gone := w.sim.Rows(apisim.Alerts)[10].ID
	w.sim.Delete(apisim.Alerts, gone)
	report := w.verify(o)
	if s := report.Streams[0]; s.Status != audit.Extra || s.Extra != 1 || s.Findings[0].Samples[0] != gone || report.Status != audit.Differs || !report.OnlyExtra() {
		t.Errorf("%s", explain(report))
	}
	done := w.repair(o)
	if done.Summary != nil || w.published("SELECT count(*) FROM alerts WHERE id = ?", gone) != "1" {
		t.Errorf("a row that the source deleted was not kept: %+v", done)
	}
}

func TestALateRowBeyondTheLookbackIsFoundAndRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 30, AlertsPerDay: 50})
	o := w.options(alerts)
	w.mustSync(o)
	late := w.add(apisim.Alerts, noon.Add(-20*24*time.Hour), 1)
	w.mustSync(o)
	if w.published("SELECT count(*) FROM alerts WHERE id = ?", late[0]) != "0" {
		t.Fatal("it is not beyond the lookback")
	}
	w.sim.Update(apisim.Alerts, w.sim.Rows(apisim.Alerts)[750].ID, func(r *apisim.Row) { r.Message = "changed long after" })
	if report := w.verify(o); report.Streams[0].Missing != 1 {
		t.Errorf("%s", explain(report))
	}
	o.Full = true
	if report := w.verify(o); report.Streams[0].Missing != 1 || report.Streams[0].Differs != 1 {
		t.Errorf("%s", explain(report))
	}
	o.Full = false
	w.repair(o)
	if w.published("SELECT count(*) FROM alerts WHERE id = ?", late[0]) != "1" {
		t.Error("the late row was not restored")
	}
}

// A value changed by hand in the warehouse is found, by what was published, and
// put right by the source, not spread into the files.
func TestForgedValueIsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 20, AlertsPerDay: 100})
	o := w.options(alerts)
	w.mustSync(o)
	forged := w.sim.Rows(apisim.Alerts)[500].ID
	tamper(t, load.File(w.dir), "UPDATE alerts SET message = 'forged' WHERE id = '"+forged+"'")
	if s := w.verify(o).Streams[0]; s.Differs != 1 || len(s.Findings) != 1 || s.Findings[0].Samples[0] != forged {
		t.Errorf("%+v", s)
	}
	w.repair(o)
	w.matches(o)
	w.equalsTruth(apisim.Alerts)
}

// What a run tried to read and could not is part of the proof.
func TestRangeNeverReadIsNotCovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts)
	m := w.sim.Semantics()
	m.TotalOffset = 5
	w.sim.SetSemantics(m)
	if summary, err := w.sync(context.Background(), o); err != nil || summary.Status != "partial" {
		t.Fatalf("%v, %+v", err, summary)
	}
	w.sim.SetSemantics(apisim.Semantics{})
	late := w.add(apisim.Alerts, noon.Add(-time.Minute), 1)
	if report := w.verify(o); report.Status != audit.Differs {
		t.Errorf("%s is not missed: %s %+v", late, explain(report), report.Streams[0])
	}
	w.repair(o)
	w.matches(o)
	w.equalsTruth(apisim.Alerts)
}

// The figures of a series are counted, over what is both covered and served.
func TestFiguresOfASeriesAreCountedWithinItsCoverage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(policyStats)
	o.Stats = &streams.Stats{Stream: schema.StreamByName("policy_stats"), Start: noon.AddDate(0, 0, -5), Bucket: "5m", Scopes: []streams.Scope{{Scope: "org"}}}
	w.mustSync(o)
	w.sim.Advance(6 * time.Minute) // now a larger window is needed to reach back
	w.matches(o)
	s := w.verify(o).Streams[0]
	stored := w.private("SELECT count(*) FROM policy_stats WHERE closed")
	if fmt.Sprint(s.Source) != stored || fmt.Sprint(s.Stored) != stored {
		t.Errorf("source %d, stored %d, want %s each", s.Source, s.Stored, stored)
	}
	if first := w.private("SELECT min(from_ts)::TIMESTAMP FROM sync_coverage"); s.From.Format("2006-01-02 15:04:05") != first[:19] {
		t.Errorf("compared from %s, covered from %s", s.From, first)
	}
	// a row that only we have is counted on our side
	tamper(t, load.File(w.dir), "INSERT INTO policy_stats SELECT * REPLACE (bucket_start + INTERVAL 1 MINUTE AS bucket_start) FROM policy_stats WHERE closed ORDER BY bucket_start LIMIT 1",
		"DELETE FROM policy_stats WHERE rowid IN (SELECT rowid FROM policy_stats WHERE closed ORDER BY bucket_start DESC LIMIT 2)")
	s = w.verify(o).Streams[0]
	if s.Missing != 2 || s.Extra != 1 || s.Stored != s.Source-1 {
		t.Errorf("%+v", s)
	}
	o.From, o.To = noon.AddDate(0, 0, -2), noon.AddDate(0, 0, -1)
	if s = w.verify(o).Streams[0]; !s.From.Equal(o.From) || !s.To.Equal(o.To) || s.Source != 288 || s.Stored != 288 || s.Status != audit.Match {
		t.Errorf("a day of 5 minutes: %+v", s)
	}
}

func TestAQueryTheSourceDoesNotKnowIsNotAMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(violations, policyStats)
	o.Lists[0].Policies = []string{"no-such-policy", w.sim.Organisation().Policies[0].ID}
	o.Stats.Scopes = []streams.Scope{{Scope: "repo", IDs: []string{"no-such-repo"}}, {Scope: "org"}}
	if _, err := w.sync(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	w.sim.Inject(apisim.Fault{
		Kind: apisim.FaultStatus, Status: 404, Match: func(r *http.Request) bool { return r.URL.Query().Get("id") == "no-such-repo" },
	})
	for _, full := range []bool{false, true} {
		o.Full = full
		for _, optional := range []bool{false, true} {
			o.Lists[0].Optional = optional // the endpoint is there
			report, err := audit.Verify(context.Background(), o, w.client)
			if !errors.Is(err, run.ErrIncomplete) || report.Status != audit.NotVerified {
				t.Errorf("%v, %s", err, explain(report))
			}
			for i, want := range []audit.Status{audit.NotVerified, audit.Match, audit.NotVerified, audit.Match} {
				if s := report.Streams[i]; s.Status != want || (s.Error == "") != (want == audit.Match) {
					t.Errorf("%s %s: %s %q", s.Stream, s.Filter, s.Status, s.Error)
				}
			}
		}
	}
	o.Lists[0].Policies = []string{"no-such-policy"}
	o.Stats = nil
	report := w.verify(o)
	if s := report.Streams[0]; s.Status != audit.NotServed || s.Error != "" {
		t.Errorf("an optional stream of which nothing is served: %+v", s)
	}
}

// What no run could read since the source does not know it is neither a difference nor a match.
func TestWhatWasNeverServedDoesNotDiffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts, violations)
	o.Lists[1].Optional = true
	w.sim.Inject(apisim.Fault{
		Kind: apisim.FaultStatus, Status: 404, Match: func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/violations") || r.URL.Query().Get("id") == "no-such-repo"
		},
	})
	w.mustSync(o)
	w.matches(o)
	if s := w.verify(o).Streams[1]; s.Status != audit.NotServed {
		t.Errorf("an optional stream: %+v", s)
	}
	o = w.options(policyStats)
	o.Stats.Scopes = []streams.Scope{{Scope: "repo", IDs: []string{"no-such-repo"}}, {Scope: "org"}}
	if _, err := w.sync(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(context.Background(), o, w.client)
	if !errors.Is(err, run.ErrIncomplete) || report.Status != audit.NotVerified || report.Streams[0].Status != audit.NotVerified {
		t.Errorf("a series: %v, %s", err, explain(report))
	}
}
