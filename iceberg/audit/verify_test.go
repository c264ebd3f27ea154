package audit_test

import (
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/iceberg-go"

	"github.com/flashback-sync/flashback-sync/iceberg/audit"
	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/internal/lakegen"
	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerifyFindsEveryKindOfDifference(t *testing.T) {
	dir, day := t.TempDir(), func(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	l, err := lakegen.New(t.TempDir(), 1)
	must(t, err)
	for n := range 4 {
		must(t, l.Set("alerts", day(n), 50, 0))
	}
	must(t, l.Set("policy_stats", day(0), 50, 0))
	must(t, l.Publish(day(4)))
	cat, err := catalogs.Open(t.Context(), catalogs.Config{
		URI: "sqlite:///" + filepath.Join(dir, "catalog.db") /* four slashes, as others write it */, Name: "flashback", Namespace: "flashback", Warehouse: "file://" + filepath.Join(dir, "w"),
	})
	must(t, err)
	defer cat.Close()
	opened, err := lake.Open(l.Dir)
	must(t, err)
	defer opened.Close()
	o := audit.Options{Lake: opened, Catalog: cat, Org: "default"}
	verify := func(quick bool) map[string]string {
		t.Helper()
		o.Quick = quick
		report, err := audit.Verify(t.Context(), o)
		must(t, err)
		found := map[string]string{}
		for _, d := range report.Differences {
			found[d.Table+" "+d.Period] = d.Kind
		}
		return found
	}
	if found := verify(false); len(found) != 7 || found["alerts 2026-01-01"] != "missing" || found["coverage all"] != "missing" {
		t.Errorf("before the push: %v", found)
	}
	_, err = push.Run(t.Context(), push.Options{Lake: opened, Catalog: cat, Org: "default", Run: "00000000abcd", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(t, err)
	if found := verify(false); len(found) != 0 {
		t.Errorf("after the push: %v", found)
	}
	// Another program deletes rows of a day, and the lake goes on.
	tbl, err := cat.Load(t.Context(), "alerts")
	must(t, err)
	_, err = tbl.Delete(t.Context(), iceberg.LessThan(iceberg.Reference("timestamp"), day(0).Add(time.Hour).UnixMicro()), nil)
	must(t, err)
	must(t, l.Set("alerts", day(1), 50, 1)) // other rows
	must(t, l.Set("alerts", day(2), 0, 0))
	must(t, l.Publish(day(4)))
	want := map[string]string{"alerts 2026-01-01": "rows", "alerts 2026-01-02": "ids", "alerts 2026-01-03": "extra"}
	found := verify(false)
	for period, kind := range want {
		if found[period] != kind {
			t.Errorf("%s: %q, want %q", period, found[period], kind)
		}
	}
	if len(found) != len(want) {
		t.Errorf("differences: %v", found)
	}
	if found := verify(true); found["alerts 2026-01-01"] != "stale" || found["alerts 2026-01-02"] != "stale" || len(found) != 3 {
		t.Errorf("quick: %v", found)
	}
	status, err := audit.ReadStatus(t.Context(), o)
	must(t, err)
	if alerts := status.Tables[0]; status.UpToDate || alerts.Pending != 3 || alerts.Orgs["default"] != 1 {
		t.Errorf("status: %+v", alerts)
	}
}
