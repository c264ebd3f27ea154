package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/load"
)

// tamper changes the private warehouse by hand.
func (b *bench) tamper(statement string) {
	b.t.Helper()
	db, err := sql.Open("duckdb", load.File(b.data()))
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		b.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// contents are all files of data_dir.
func (b *bench) contents() map[string]string {
	b.t.Helper()
	stored := map[string]string{}
	err := filepath.WalkDir(b.data(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		stored[path] = string(content)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return stored
}

func TestVerifyProvesAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.wants(exit.CodeOther, "nothing has been synced yet", "verify")
	b.first("")
	before := b.contents()
	r := b.must("verify")
	if !strings.Contains(r.stdout, "Everything that the source counts is stored") {
		t.Error(r.stdout)
	}
	after := b.contents()
	for path, content := range before {
		if after[path] != content {
			t.Errorf("verify changed %s", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files, before %d", len(after), len(before))
	}
}

func TestVerifyFindsAndRepairRestores(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	b.tamper("DELETE FROM alerts WHERE timestamp BETWEEN TIMESTAMPTZ '2026-03-16 10:00:00Z' AND TIMESTAMPTZ '2026-03-16 12:00:00Z'")
	missing := b.sim.Len(apisim.Alerts) - b.private("SELECT count(*) FROM alerts")
	page, file := filepath.Join(b.dir, "report.html"), filepath.Join(b.dir, "report.json")
	r := b.wants(exit.CodeDifference, "missing in alerts", "verify", "--html", page, "--json", file)
	if !strings.Contains(r.stderr, "flashback-sync repair") {
		t.Error(r.stderr)
	}
	var report audit.Report
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, &report)
	}
	if err != nil || report.Streams[0].Missing != int64(missing) || missing == 0 || report.Status != audit.Differs {
		t.Errorf("%v: %d missing of %d", err, report.Streams[0].Missing, missing)
	}
	if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "missing") || strings.Contains(string(html), "<script") {
		t.Errorf("%v, %.200s", err, html)
	}
	printed := b.wants(exit.CodeDifference, "differs from the source", "verify", "--json")
	if err := json.Unmarshal([]byte(lastLine(printed.stdout)), &report); err != nil || strings.Count(printed.stdout, "\n") != 1 {
		t.Errorf("%v: %.300s", err, printed.stdout)
	}
	repaired := b.must("repair", "--json")
	var done struct{ Found, Left *audit.Report }
	if err := json.Unmarshal([]byte(lastLine(repaired.stdout)), &done); err != nil || done.Found.Status != audit.Differs || done.Left.Status != audit.Match {
		t.Errorf("%v: %.300s", err, repaired.stdout)
	}
	b.must("verify")
	b.complete()
}

func TestWhatTheSourceDeletedIsADifferenceThatNeedsNoRepair(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure("streams:\n  alerts: {start: 2026-03-10}\n")
	b.first("")
	b.sim.Delete(apisim.Alerts, b.sim.Rows(apisim.Alerts)[5].ID)
	if r := b.wants(exit.CodeDifference, "1 gone at the source in alerts", "verify"); !strings.Contains(r.stderr, "nothing to repair") {
		t.Error(r.stderr)
	}
	b.must("repair")
}

// A repair fetches nothing of a stream that was never synced: only a run does.
func TestWhatWasNeverSyncedIsToBeSynced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must("sync", "--stream", "alerts")
	for _, command := range []string{"verify", "repair"} {
		r := b.wants(exit.CodeDifference, "violations not synced", command)
		if !strings.Contains(r.stderr, "'flashback-sync sync'") || strings.Contains(r.stderr, "'flashback-sync repair'") {
			t.Errorf("%s: %s", command, r.stderr)
		}
	}
	b.tamper("DELETE FROM alerts WHERE timestamp < TIMESTAMPTZ '2026-03-16'")
	r := b.wants(exit.CodeDifference, "missing in alerts", "verify")
	if !strings.Contains(r.stderr, "'flashback-sync sync'") || !strings.Contains(r.stderr, "'flashback-sync repair'") {
		t.Error(r.stderr)
	}
	b.must("sync")
	b.must("repair")
	b.must("verify")
}

// Whoever waits for a long verification has to find its report at the end.
func TestVerifyKnowsBeforeItAsksWhereItsReportGoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nowhere, locked := filepath.Join(b.dir, "nowhere"), filepath.Join(b.dir, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--html", "--json"} {
		for _, c := range []struct{ folder, file, text string }{
			{nowhere, "report", "make that folder, or name a file in another folder"},
			{b.config, "report", "name a file in another folder"},
			{locked, "report", "make that folder writable, or name a file in another folder"},
			{b.dir, "locked", "is a folder: name a file in it"},
		} {
			if c.folder == locked && os.Geteuid() == 0 {
				continue // may write anywhere
			}
			r := b.wants(exit.CodeUsage, c.text, "verify", flag, filepath.Join(c.folder, c.file))
			if !strings.Contains(r.stderr, flag+": ") || !strings.Contains(r.stderr, c.folder) || strings.Contains(r.stderr, ".tmp-") {
				t.Error(r.stderr)
			}
		}
	}
	if b.sim.RequestCount() != 0 {
		t.Error("the source was asked")
	}
	if left, err := filepath.Glob(filepath.Join(b.dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestVerifyEndsWithTheSourcesFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	b.env["FLASHBACK_TOKEN"] = "another"
	b.wants(exit.CodeUnauthorized, "HTTP 401", "verify")
	b.wants(exit.CodeUnauthorized, "HTTP 401", "repair")
	b.env["FLASHBACK_TOKEN"] = canary
	b.wants(exit.CodeUsage, `unknown argument "x"`, "verify", "x")
	b.wants(exit.CodeUsage, "--from must be before --to", "verify", "--from", "2026-03-18", "--to", "2026-03-17")
}

func TestRepairRebuildsADamagedWarehouse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	if err := os.WriteFile(load.File(b.data()), []byte(strings.Repeat("damaged ", 4000)), 0o600); err != nil {
		t.Fatal(err)
	}
	b.wants(exit.CodeDamaged, "repair --rebuild", "sync")
	b.wants(exit.CodeDamaged, "repair --rebuild", "repair")
	r := b.must("repair", "--rebuild")
	if !strings.Contains(r.stdout, "The old file is kept") {
		t.Error(r.stdout)
	}
	b.complete()
	b.must("verify")
}

func TestStatusAndCheckTellHowLateRowsCome(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sim.SetNow(time.Now().UTC())
	b.configure(fmt.Sprintf("streams: {alerts: {start: %s}}\n", time.Now().AddDate(0, 0, -5).Format(time.DateOnly)))
	b.must("sync")
	if out := b.must("status").stdout; strings.Contains(out, "came late") {
		t.Error(out)
	}
	b.sim.AddAlerts(b.sim.NewRow(apisim.Alerts, b.sim.Now().Add(-20*time.Hour), 1))
	b.must("sync")
	out := b.must("status").stdout
	if !strings.Contains(out, "alerts: 1 row came late in the last 90 days: ") || !strings.Contains(out, "nears the lookback of 2 d") {
		t.Error(out)
	}
	if out := b.must("check").stdout; !strings.Contains(out, "set streams.alerts.lookback to 80h") {
		t.Error(out)
	}
}

// What a source sends cannot steer a terminal.
func TestTablesShowNoControlCharacters(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	row := b.sim.NewRow(apisim.Alerts, noon.Add(-time.Hour), 1)
	row.ID, row.Message = "hostile", "\x1b]0;title\x07\x1b[31mred\u202e\r"
	b.sim.AddAlerts(row)
	b.must("sync")
	out := b.must("query", "SELECT message FROM alerts WHERE id = 'hostile'").stdout
	if strings.ContainsAny(out, "\x1b\x07\r\u202e") || !strings.Contains(out, "red") {
		t.Errorf("%q", out)
	}
}

func TestAPolicyThatTheSourceDoesNotKnowIsNoMatch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	known := b.sim.Organisation().Policies[0].ID
	b.configure("streams:\n  violations: {start: 2026-03-17, optional: false, policies: [" + known + ", bogus]}\n  policy_stats: {scopes: [{scope: org}, {scope: repo, ids: [nobody]}]}\n")
	b.wants(exit.CodePartial, "policy bogus", "sync")
	b.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 404, Match: func(r *http.Request) bool { return r.URL.Query().Get("id") == "nobody" }})
	r := b.wants(exit.CodePartial, "bogus", "verify")
	if !strings.Contains(r.stdout, "Not everything could be compared") || !strings.Contains(r.stdout, "repo nobody") || strings.Contains(r.stdout, "Everything that the source counts") {
		t.Error(r.stdout)
	}
	r = b.wants(exit.CodeSource, "bogus", "check")
	if !strings.Contains(r.stderr, "repo nobody") {
		t.Error(r.stderr)
	}
	b.tamper("DELETE FROM violations WHERE rowid = (SELECT min(rowid) FROM violations)")
	b.wants(exit.CodeDifference, "1 missing in violations", "verify") // a difference matters more
}

func TestAWarehouseThatIsGoneIsNotCalledAFirstRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	if err := os.RemoveAll(filepath.Join(b.data(), "state")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"verify", "repair", "sync"} {
		r := b.wants(exit.CodeDamaged, "the warehouse is gone", command)
		if !strings.Contains(r.stderr, "repair --rebuild") || strings.Contains(r.stderr, "nothing has been synced") {
			t.Error(r.stderr)
		}
	}
	b.must("repair", "--rebuild")
	b.must("verify")
}
