package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestViewsHaveTheirColumnsAndTypesThatEveryToolReads(t *testing.T) {
	w := synced(t, small(), alerts, violations, policyStats)
	safe := []string{"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"}
	for _, view := range schema.Views() {
		var want []string
		for _, c := range view.Columns {
			want = append(want, c.Name+" "+c.Type+" "+c.Doc)
			if !slices.Contains(safe, c.Type) {
				t.Errorf("%s.%s is a %s", view.Name, c.Name, c.Type)
			}
		}
		got := w.published(`SELECT string_agg(column_name || ' ' || data_type || ' ' || comment, '|' ORDER BY column_index) FROM duckdb_columns()
			WHERE schema_name = 'bi' AND table_name = ?`, view.Name)
		if got != strings.Join(want, "|") {
			t.Errorf("%s has\n%s, want\n%s", view.Name, strings.ReplaceAll(got, "|", "\n"), strings.Join(want, "\n"))
		}
		if rows := w.published("SELECT count(*) FROM (SELECT * FROM bi." + view.Name + ")"); rows == "0" && view.Name != "stats_repo" && view.Name != "stats_workspace" {
			t.Errorf("%s has no rows", view.Name)
		}
	}
}

func TestTheKeyOfAViewIsUnique(t *testing.T) {
	w := synced(t, small(), alerts, violations, policyStats)
	for _, view := range schema.Views() {
		key := make([]string, len(view.Key))
		for i, name := range view.Key {
			key[i] = schema.Ident(name)
		}
		twice := w.published("SELECT count(*) FROM (SELECT 1 FROM bi." + view.Name + " GROUP BY " + strings.Join(key, ", ") + " HAVING count(*) > 1)")
		if len(key) == 0 || twice != "0" {
			t.Errorf("%s: %s keys %v occur twice", view.Name, twice, key)
		}
		for column, values := range view.Values {
			list := "('" + strings.Join(values, "', '") + "')"
			if other := w.published("SELECT count(*) FROM bi." + view.Name + " WHERE " + schema.Ident(column) + " NOT IN " + list); other != "0" {
				t.Errorf("%s.%s: %s rows have other values than %s", view.Name, column, other, list)
			}
		}
		for column, to := range view.References {
			if lost := w.published("SELECT count(*) FROM bi." + view.Name + " a ANTI JOIN bi." + to + " b ON a." + column + " = b.id WHERE a." + column + " IS NOT NULL"); lost != "0" {
				t.Errorf("%s.%s: %s rows have no row in %s", view.Name, column, lost, to)
			}
		}
	}
}

// statuses are those of a stream's days in March, oldest first.
func (w *world) statuses(stream string) string {
	return w.published("SELECT string_agg(day(day) || ' ' || status, ', ' ORDER BY day) FROM bi.coverage_daily WHERE stream = ? AND day <= '2026-03-18'", stream)
}

func TestDaysWithAGapAreNotComplete(t *testing.T) {
	w := newWorld(t, small())
	o := w.options(alerts, violations)
	o.To = time.Date(2026, 3, 16, 6, 0, 0, 0, time.UTC)
	w.mustSync(o)
	o.From, o.To = time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC), time.Time{}
	w.mustSync(o)
	if got := w.statuses(alerts); got != "14 complete, 15 complete, 16 partial, 17 missing, 18 open" {
		t.Error(got)
	}
	const complete = "SELECT string_agg(DISTINCT day(day), ' ' ORDER BY day(day)) FROM bi."
	for _, view := range []string{"events_daily", "calendar"} {
		if got := w.published(complete + view + " WHERE complete"); got != "15" { // the first row is of the 15th
			t.Errorf("%s: %s", view, got)
		}
	}
	if got := w.published("SELECT count(*) FROM bi.freshness WHERE read_up_to = '2026-03-16 06:00:00'"); got != "2" {
		t.Errorf("%s streams are read up to the gap", got)
	}
	w.mustSync(w.options())
	if got := w.statuses(violations); got != "14 complete, 15 complete, 16 complete, 17 complete, 18 open" {
		t.Error(got)
	}
	if got := w.published(complete + "events_daily WHERE complete"); got != "15 16 17" {
		t.Error(got)
	}
	w.derivedAsComputedAnew()
}

func TestNoRowOfTheRunThatCompletesItsDayIsLateWhateverTheClockDoes(t *testing.T) {
	for name, step := range map[string]time.Duration{"it does not move": 0, "it is set back": -time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, small())
			w.step = step
			w.mustSync(w.options(alerts))
			if got := w.published("SELECT count(*) FROM bi.events WHERE late"); got != "0" {
				t.Errorf("%s rows are late", got)
			}
		})
	}
}

// A row is late if its day had been complete before: not one that closes a gap.
func TestRowsThatComeAfterTheirDayWasCompleteAreLate(t *testing.T) {
	w := newWorld(t, small())
	o := w.options(alerts)
	o.From = noon.Add(-day)
	w.mustSync(o)
	w.mustSync(w.options(alerts))
	w.add(apisim.Alerts, noon.Add(-time.Minute), 1) // its day is open
	w.sim.Advance(time.Minute)
	late := w.add(apisim.Alerts, noon.Add(-day), 1)
	w.mustSync(w.options(alerts))
	if got := w.published("SELECT string_agg(id, ' ') FROM bi.events WHERE late"); got != late[0] {
		t.Errorf("late: %s, want %s", got, late[0])
	}
}

func TestNamesAreTheLatestEverywhere(t *testing.T) {
	o := small()
	o.Days, o.AlertsPerDay, o.ViolationsPerDay = 40, 40, 20 // of two months
	w := newWorld(t, o)
	w.mustSync(w.options())
	policy := w.published("SELECT id FROM bi.policies ORDER BY alerts DESC LIMIT 1")
	old := w.published("SELECT name FROM bi.policies WHERE id = ?", policy)
	w.sim.Advance(time.Hour)
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		for _, row := range w.sim.Rows(stream) { // older rows keep the name they were read with
			if row.PolicyID == policy && row.Timestamp.After(noon.Add(-day)) {
				w.sim.Update(stream, row.ID, func(r *apisim.Row) { r.PolicyName = "Renamed" })
			}
		}
	}
	w.mustSync(w.options())
	for query, want := range map[string]string{
		"SELECT name || ', ' || earlier_names FROM bi.policies WHERE id = ?":                     "Renamed, " + old,
		"SELECT string_agg(DISTINCT policy_name, ', ') FROM bi.events WHERE policy_id = ?":       "Renamed",
		"SELECT string_agg(DISTINCT policy_name, ', ') FROM bi.events_daily WHERE policy_id = ?": "Renamed",
		"SELECT count(DISTINCT policy_name_then) FROM bi.events WHERE policy_id = ?":             "2",
	} {
		if got := w.published(query, policy); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	w.derivedAsComputedAnew()
	w.matches(w.options())
}

// A run that syncs some streams says nothing of the others' queries, and a stream that is no
// longer configured has none.
func TestANarrowedRunKeepsTheOtherStreamsQueries(t *testing.T) {
	w := synced(t, small(), alerts, violations, policyStats)
	narrow := w.options(alerts)
	narrow.Configured = []string{alerts, violations}
	w.mustSync(narrow) // no row changes
	const streams = "SELECT string_agg(stream, ' ' ORDER BY stream) FROM sync_queries"
	inManifest := func() string {
		t.Helper()
		manifest, err := lake.ReadManifest(narrow.LakeDir())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, q := range manifest.Queries {
			names = append(names, q.Stream)
		}
		return strings.Join(names, " ")
	}
	if got := w.published(streams); got != "alerts violations" || inManifest() != got {
		t.Errorf("a narrowed run: %s", got)
	}
	narrow.Configured = []string{alerts}
	w.add(apisim.Alerts, noon.Add(-time.Minute), 1)
	w.mustSync(narrow)
	if got := w.published(streams); got != "alerts" || inManifest() != got {
		t.Errorf("another configuration: %s, in the manifest %s", got, inManifest())
	}
}

// A release with other views publishes them although no row changed.
func TestChangedViewsArePublished(t *testing.T) {
	w := synced(t, small())
	for _, file := range []string{load.File(w.dir), w.dir + "/flashback.duckdb"} {
		tamper(t, file, "DROP VIEW bi.events")
	}
	tamper(t, load.File(w.dir), "UPDATE internal.meta SET value = 'others' WHERE key = 'views'")
	w.mustSync(w.options())
	if got := w.published("SELECT count(*) FROM bi.events"); got == "0" {
		t.Error("no events")
	}
}

// derivedAsComputedAnew wants the derived tables to be what computing every day again
// gives.
func (w *world) derivedAsComputedAnew() {
	w.t.Helper()
	for _, table := range schema.Tables() {
		if table.Derived == "" {
			continue
		}
		var names []string
		for _, c := range table.Columns {
			names = append(names, schema.Ident(c.Name))
		}
		columns := strings.Join(names, ", ")
		anew := fmt.Sprintf("(WITH changed_days AS (SELECT date AS day FROM alerts UNION SELECT date FROM violations) SELECT %s FROM (%s))", columns, table.Derived)
		stored := fmt.Sprintf("(SELECT %s FROM %s)", columns, schema.Ident(table.Name))
		got := w.published(fmt.Sprintf("SELECT (SELECT count(*) FROM (FROM %[1]s EXCEPT ALL FROM %[2]s)) || ' ' || (SELECT count(*) FROM (FROM %[2]s EXCEPT ALL FROM %[1]s))", stored, anew))
		if got != "0 0" {
			w.t.Errorf("%s: rows too many, and too few: %s", table.Name, got)
		}
	}
	if got := w.published(`SELECT count(*) FROM (
		(SELECT stream, day FROM sync_days EXCEPT SELECT stream, day FROM bi.coverage_daily GROUP BY ALL HAVING bool_and(status = 'complete')) UNION ALL
		(SELECT stream, day FROM bi.coverage_daily GROUP BY ALL HAVING bool_and(status = 'complete') EXCEPT SELECT stream, day FROM sync_days))`); got != "0" {
		w.t.Errorf("%s days are complete in one of sync_days and coverage_daily", got)
	}
}
