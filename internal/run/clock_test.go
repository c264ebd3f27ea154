package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

const year = 365 * day

// skewed is a world of everything whose first run saw a clock of our own that is wrong.
func skewed(t *testing.T, skew time.Duration) *world {
	t.Helper()
	w := newWorld(t, small())
	w.skew = skew
	w.prepared(fmt.Sprint("everything, skewed by ", skew), func() { w.mustSync(w.options(everything...)) })
	return w
}

func TestOurOwnClockMayBeWrong(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, year, -year} {
		t.Run(skew.String(), func(t *testing.T) {
			w := skewed(t, skew)
			o := w.options(everything...)
			w.equalsTruth()
			w.sim.Advance(5 * time.Hour)
			w.mustSync(o)
			w.equalsTruth()
			for _, stream := range []string{alerts, violations} {
				got := w.published(`SELECT string_agg(epoch_us(from_ts) || ' ' || epoch_us(to_ts), ', ') FROM sync_coverage WHERE stream = ?`, stream)
				if want := unix(w.start) + " " + unix(w.sim.Now()); got != want {
					t.Errorf("%s: covered %s, want %s", stream, got, want)
				}
			}
			want, _ := w.figures(map[string]string{"scope": "org", "window": "7d", "timeBucketSize": "1h"})
			got := w.statistics()
			for key := range got {
				if want[key] == nil { // of the first, longer ago
					delete(got, key)
				}
			}
			if len(got) < len(want)-1 {
				t.Errorf("%d buckets stored, the source has %d", len(got), len(want))
			}
			if lost := w.published(`SELECT count(*) FROM sync_coverage WHERE status = 'lost'`); lost != "0" {
				t.Errorf("%s lost ranges", lost)
			}
		})
	}
}

// The clock may jump between runs; the latest version of a row still wins.
func TestOurOwnClockMayJump(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string][2]time.Duration{
		"forward": {0, year}, "back": {year, 0}, "back a little": {-time.Hour, -2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := skewed(t, jump[0])
			old := w.sim.Rows(apisim.Alerts)[2]
			w.skew = jump[1]
			w.sim.Advance(20 * time.Minute)
			w.sim.Update(apisim.Alerts, old.ID, func(r *apisim.Row) { r.Timestamp, r.Message = noon.Add(10*time.Minute), "moved" })
			w.mustSync(w.options())
			w.equalsTruth()
		})
	}
}

func TestASourceWithoutAClockIsReadByOurs(t *testing.T) {
	t.Parallel()
	o := small()
	o.Semantics.NoDate = true
	w := newWorld(t, o)
	w.mustSync(w.options(alerts, policyStats))
	w.equalsTruth(apisim.Alerts)
}

func TestRowsOfTheFutureAreLoadedAndMoveNoWatermark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	future := []time.Time{noon.Add(3 * time.Hour), noon.Add(40 * day), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)}
	for i, at := range future {
		row := w.sim.NewRow(apisim.Alerts, at, i)
		row.ID = fmt.Sprintf("future-%d", i)
		w.sim.AddAlerts(row)
	}
	first := w.mustSync(w.options(alerts)).Streams[alerts]
	w.equalsTruth(apisim.Alerts)
	if first.To == nil || first.To.After(noon.Add(time.Second)) {
		t.Errorf("watermark %v, now is %v", first.To, noon)
	}
	if got := w.published("SELECT epoch_us(max(to_ts)) FROM sync_coverage"); got > unix(noon.Add(time.Second)) {
		t.Errorf("covered to %s, now is %s", got, unix(noon))
	}
	w.sim.Advance(6 * time.Hour)
	second := w.mustSync(w.options(alerts)).Streams[alerts]
	w.equalsTruth(apisim.Alerts)
	if second.Updated != 0 || second.To.After(w.sim.Now().Add(time.Second)) {
		t.Errorf("%+v", *second)
	}
	if got := len(w.warehouse(schema.Alerts())); got != w.sim.Len(apisim.Alerts) {
		t.Errorf("%d rows", got)
	}
}

// A machine that was down for two months reads them in one run, as far as they
// are late, and leaves no gap.
func TestDownForSixtyDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 3, AlertsPerDay: 20, ViolationsPerDay: 4})
	o := w.options(everything...)
	w.mustSync(o)
	w.sim.Advance(60 * day)
	w.mustSync(o)
	w.equalsTruth(apisim.Alerts, apisim.Violations)
	if gaps := w.published("SELECT count(*) - count(DISTINCT (stream, filter)) FROM sync_coverage WHERE status = 'covered'"); gaps != "0" {
		t.Errorf("%s gaps", gaps)
	}
	if lost := w.published("SELECT count(*) FROM sync_coverage WHERE status = 'lost'"); lost != "0" {
		t.Errorf("%s intervals are lost", lost)
	}
	w.matches(o)
}

// One answer dated a year ahead makes nothing count as read that was not there.
func TestDateFarAheadCoversNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts)
	w.sim.SetSemantics(apisim.Semantics{DateSkew: 365 * day})
	w.mustSync(o)
	w.sim.SetSemantics(apisim.Semantics{})
	w.sim.Advance(10 * day)
	w.mustSync(o)
	w.equalsTruth(apisim.Alerts)
}

// A verification whose own clock is behind must look as far back as one whose clock
// is right, and one whose clock is ahead no further than it has to.
func TestAVerificationGoesByTheSourcesClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{year, -year} {
		t.Run(skew.String(), func(t *testing.T) {
			w := synced(t, small(), policyStats)
			tamper(t, load.File(w.dir), "UPDATE policy_stats SET violations = violations + 7 WHERE bucket_start = (SELECT min(bucket_start) FROM policy_stats WHERE closed) AND scope = 'org'")
			w.skew = skew
			w.sim.ResetRequests()
			report := w.verify(w.options(policyStats))
			if s := report.Streams[0]; s.Differs != 1 {
				t.Errorf("%s", explain(report))
			}
			if windows := w.windows(); slices.Contains(windows[1:], "365d") { // the first answer tells the clock
				t.Errorf("windows %v", windows)
			}
		})
	}
}

// Clocks that are far apart are worth one line a run, whoever of the two is wrong.
func TestClocksFarApartAreWarnedOfOnce(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]int{0: 0, 50 * time.Minute: 0, -2 * time.Hour: 1, year: 1, -year: 1} {
		w := synced(t, small())
		w.sim.SetSemantics(apisim.Semantics{DateSkew: skew})
		options := w.options()
		options.DryRun = true
		warnings := 0
		options.Observe = func(e run.Event) {
			if e.Kind == run.Warned && strings.Contains(e.Message, "clock") {
				warnings++
			}
		}
		if _, err := w.sync(t.Context(), options); err != nil || warnings != want {
			t.Errorf("%v apart: %d warnings, %v", skew, warnings, err)
		}
	}
}
