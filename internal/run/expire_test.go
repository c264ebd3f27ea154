package run_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// eightDays is an organisation with rows on nine UTC days, the 10th to the 18th.
func eightDays() apisim.Options {
	return apisim.Options{Seed: 7, Now: noon, Days: 8, AlertsPerDay: 40, ViolationsPerDay: 25}
}

func march(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }

// canary is a text that only one row has.
const canary = "CANARY-5d1f-never-again"

// plantCanary adds an alert whose texts are the canary.
func (w *world) plantCanary(at time.Time) {
	row := w.sim.NewRow(apisim.Alerts, at, 0)
	row.Message, row.PolicyID, row.PolicyName = canary+" message", canary+"-policy", canary+" policy"
	row.UserID, row.UserName = canary+"-user", canary+" user"
	w.sim.Add(apisim.Alerts, row)
}

// canaries are the files below data_dir in whose bytes or rows the canary is.
func (w *world) canaries() (paths []string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(content, []byte(canary)) || bytes.Contains(content, []byte(canary[:8])) || w.inRows(path) {
			name, _ := filepath.Rel(w.dir, path)
			paths = append(paths, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return paths
}

// inRows reports whether a row of a file, which may be compressed, has the canary.
func (w *world) inRows(path string) bool {
	w.t.Helper()
	var db *sql.DB
	var tables []string
	switch filepath.Ext(path) {
	case ".parquet":
		db, tables = open(w.t, ""), []string{"read_parquet(" + schema.Literal(path) + ")"}
	case ".duckdb":
		db = open(w.t, path)
		rows, err := db.Query("SELECT schema_name || '.' || table_name FROM duckdb_tables()")
		if err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				w.t.Fatal(err)
			}
			tables = append(tables, name)
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
	default:
		return false
	}
	defer func() { _ = db.Close() }()
	for _, table := range tables {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM "+table+" t WHERE contains(t::VARCHAR, ?)", canary).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		if n > 0 {
			return true
		}
	}
	return false
}

// lakeDays are the days that a table has in the lake.
func (w *world) lakeDays(table string) string {
	folders, err := filepath.Glob(filepath.Join(w.dir, "lake", table, "date=*"))
	if err != nil {
		w.t.Fatal(err)
	}
	for i, folder := range folders {
		folders[i] = folder[len(folder)-2:]
	}
	return strings.Join(folders, " ")
}

// keeping are options that keep alerts for five days.
func (w *world) keeping(streams ...string) run.Options {
	o := w.options(streams...)
	o.Keep = map[string]time.Duration{alerts: 5 * day}
	return o
}

func TestDaysExpireOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.plantCanary(march(14).Add(9 * time.Hour))
	o := w.keeping(alerts, violations)
	w.mustSync(w.options())
	if got := w.canaries(); !slices.Equal(got, []string{"flashback.duckdb", "lake/alerts/date=2026-03-14/alerts.parquet", "lake/events_daily/month=2026-03/events_daily.parquet", "state/warehouse.duckdb"}) {
		t.Fatalf("the canary is in %v", got)
	}
	for night := range 3 {
		kept := march(13 + night)
		w.add(apisim.Alerts, kept.Add(-time.Hour), 2) // late rows of a day that has expired
		w.sim.ResetRequests()
		w.warnings = nil
		w.mustSync(o)
		for _, r := range w.requests(apisim.Alerts) {
			if from := r.Query.Get("from"); from != "" && from < kept.Add(-time.Second).Format(time.RFC3339) {
				t.Errorf("night %d: requested from %s", night, from)
			}
		}
		if len(w.warnings) > 0 {
			t.Errorf("night %d: %s", night, w.warnings)
		}
		for name, read := range map[string]func(string, ...any) string{"warehouse": w.private, "published": w.published} {
			if got := read("SELECT min(timestamp) >= ? AND count(*) = ? FROM alerts", kept, w.since(apisim.Alerts, kept)); got != "true" {
				t.Errorf("night %d: %s has other alerts than those since %s", night, name, kept)
			}
			if got := read("SELECT count(*) = ? FROM violations", len(w.sim.Rows(apisim.Violations))); got != "true" {
				t.Errorf("night %d: %s lacks violations", night, name)
			}
			if got := read("SELECT min(day) FROM events_daily WHERE kind = 'alert'"); !strings.HasPrefix(got, kept.Format(time.DateOnly)) {
				t.Errorf("night %d: %s has alerts in events_daily from %s on", night, name, got)
			}
			if got := read("SELECT min(day) FROM names_daily WHERE alerts > 0"); !strings.HasPrefix(got, kept.Format(time.DateOnly)) {
				t.Errorf("night %d: %s has alerts in names_daily from %s on", night, name, got)
			}
			if got := read("SELECT string_agg(status || ' ' || from_ts::DATE || ' ' || to_ts::DATE, ', ' ORDER BY status DESC) FROM sync_coverage WHERE stream = 'alerts'"); got !=
				fmt.Sprintf("expired 2026-03-09 %[1]s, covered %[1]s 2026-03-%d", kept.Format(time.DateOnly), 18+night) {
				t.Errorf("night %d: %s: ledger: %s", night, name, got)
			}
		}
		var days, lake []string
		for d := 9; d <= 17+night; d++ {
			status := "complete"
			if d < 13+night {
				status = "expired"
			}
			days = append(days, fmt.Sprintf("%d %s", d, status))
		}
		for d := 13 + night; d <= 18+night; d++ {
			lake = append(lake, fmt.Sprint(d))
		}
		if got := w.published("SELECT string_agg(day(day) || ' ' || status, ', ' ORDER BY day) FROM bi.coverage_daily WHERE stream = 'alerts' AND day < ?", march(18+night)); got != strings.Join(days, ", ") {
			t.Errorf("night %d: days are %s", night, got)
		}
		if got := w.lakeDays(alerts); got != strings.Join(lake, " ") {
			t.Errorf("night %d: the lake has %s", night, got)
		}
		if got := w.published("SELECT count(*) = count(read_up_to) FROM bi.freshness"); got != "true" {
			t.Errorf("night %d: a stream is not fresh", night)
		}
		if found := w.canaries(); (len(found) > 0) != (night < 2) {
			t.Errorf("night %d: the canary is in %v", night, found)
		}
		w.derivedAsComputedAnew()
		full := o
		full.Full = true
		w.matches(o)
		w.matches(full)
		w.sim.Advance(day)
	}
}

// A run on which nothing expires does not make the warehouse anew, nor does it write a file.
func TestNothingIsRewrittenWhereNothingExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	o := w.keeping(alerts)
	w.mustSync(o)
	before := w.files()
	private, err := os.Stat(load.File(w.dir))
	if err != nil {
		t.Fatal(err)
	}
	w.mustSync(o)
	after, err := os.Stat(load.File(w.dir))
	if err != nil || !os.SameFile(private, after) {
		t.Errorf("the warehouse was made anew, %v", err)
	}
	for path, file := range w.files() {
		if strings.HasPrefix(path, "lake/") && file != before[path] {
			t.Errorf("%s was written", path)
		}
	}
}

// What has expired stays so if rows are to be kept for longer, if the filter changes, and if
// somebody requests it.
func TestExpiredTimeIsNeverReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.mustSync(w.keeping(alerts))
	w.sim.ResetRequests()
	longer := w.keeping(alerts)
	longer.Keep[alerts] = 400 * day
	w.mustSync(longer)
	longer.From = march(11)
	w.warnings = nil
	w.mustSync(longer)
	if got := strings.Join(w.warnings, "\n"); got != "alerts: read from 2026-03-13T00:00:00Z on: what is older has expired, and is not read again" {
		t.Errorf("warned: %s", got)
	}
	other := w.options(alerts)
	other.Lists[0].Query.RepoID = w.sim.Organisation().Repos[0].ID
	w.mustSync(other)
	for _, r := range w.requests(apisim.Alerts) {
		if from := r.Query.Get("from"); from != "" && from < "2026-03-12T23:59" {
			t.Errorf("requested from %s", from)
		}
	}
	if got := w.published("SELECT min(timestamp) >= ? FROM alerts", march(13)); got != "true" {
		t.Error("what had expired is back")
	}
	if got := w.published("SELECT string_agg(day(day) || ' ' || status, ', ' ORDER BY day) FROM bi.coverage_daily WHERE day < '2026-03-15'"); got != "9 expired, 10 expired, 11 expired, 12 expired, 13 complete, 14 complete" {
		t.Errorf("of the new filter: %s", got)
	}
}

// A stream that is not synced any more, but stored, expires like others.
func TestAStreamThatIsNotSyncedExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.mustSync(w.options())
	w.mustSync(w.keeping(violations))
	if got := w.published("SELECT (SELECT min(timestamp)::DATE FROM alerts) || ' ' || (SELECT min(timestamp)::DATE FROM violations)"); got != "2026-03-13 2026-03-10" {
		t.Error(got)
	}
	if got := w.lakeDays(alerts); got != "13 14 15 16 17 18" {
		t.Errorf("the lake has %s", got)
	}
}

// History is not lost because one clock is wrong: the earlier of both counts, and without
// the source's nothing expires.
func TestAWrongClockLetsNothingExpire(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]func(*world){
		"ours is ahead":             func(w *world) { w.skew = 365 * day },
		"the source's is ahead":     func(w *world) { w.sim.SetSemantics(apisim.Semantics{DateSkew: 365 * day}) },
		"the source's is not known": func(*world) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			organisation := eightDays()
			organisation.Semantics.NoDate = name == "the source's is not known"
			w := newWorld(t, organisation)
			w.mustSync(w.options(alerts))
			wrong(w)
			o := w.keeping(alerts)
			o.Keep[alerts] = 30 * day
			if _, err := w.sync(context.Background(), o); err != nil {
				t.Fatal(err)
			}
			if got := w.private("SELECT count(*) = ? FROM alerts", len(w.sim.Rows(apisim.Alerts))); got != "true" {
				t.Error("rows are gone")
			}
			if got := w.private("SELECT count(*) FROM sync_coverage WHERE status = 'expired'"); got != "0" {
				t.Error("the ledger says that time has expired")
			}
			if want := name == "the source's is not known"; w.warned("nothing expires in this run") != want {
				t.Errorf("warned: %s", w.warnings)
			}
		})
	}
}

// Statistics expire as well, of the month of the boundary only the days before it.
func TestStatisticsExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.start = march(1).AddDate(0, -2, 0)
	o := w.options(alerts, policyStats)
	w.mustSync(o)
	for _, keep := range []int{40, 5} {
		o.Keep = map[string]time.Duration{policyStats: time.Duration(keep) * day}
		kept := march(18).AddDate(0, 0, -keep)
		w.mustSync(o)
		if got := w.published("SELECT min(bucket_start) = ? FROM policy_stats", kept); got != "true" {
			t.Errorf("%d days: buckets begin at %s", keep, w.published("SELECT min(bucket_start) FROM policy_stats"))
		}
		months, _ := filepath.Glob(filepath.Join(w.dir, "lake", policyStats, "*"))
		if len(months) != int(march(18).Month()-kept.Month())+1 {
			t.Errorf("%d days: the lake has %v", keep, months)
		}
		if got := w.published("SELECT string_agg(DISTINCT status, ' ' ORDER BY status) FROM bi.coverage_daily WHERE stream = 'policy_stats' AND day < ?", kept); got != "expired" {
			t.Errorf("%d days: before are days that are %s", keep, got)
		}
		w.matches(o)
		private, _ := os.Stat(load.File(w.dir))
		w.mustSync(o)
		if again, err := os.Stat(load.File(w.dir)); err != nil || !os.SameFile(private, again) {
			t.Errorf("%d days: the next run made the warehouse anew: %v", keep, err)
		}
	}
}

// A first run requests no more than it will keep.
func TestAFirstRunReadsWhatIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, eightDays())
	w.sim.SetSemantics(apisim.Semantics{Resolution: apisim.WholeSecond})
	w.add(apisim.Alerts, march(13).Add(-500*time.Millisecond), 1) // beside the boundary
	o := w.keeping(alerts)
	summary := w.mustSync(o)
	if got, want := summary.Streams[alerts].Inserted, w.since(apisim.Alerts, march(13)); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	if got := w.private("SELECT string_agg(status || ' ' || from_ts::DATE, ' ' ORDER BY status) FROM sync_coverage"); got != "covered 2026-03-13 expired 2026-03-09" {
		t.Errorf("ledger: %s", got)
	}
	o.Full = true
	w.matches(o)
	if got := w.private("SELECT count(*) FROM alerts WHERE timestamp < ?", march(13)); got != "0" {
		t.Errorf("%s rows have expired", got)
	}
}
