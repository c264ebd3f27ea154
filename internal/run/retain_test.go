package run_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// Old runs go, the rows they wrote stay, and what is due is due when it was: a
// stream that was verified before all runs that are remembered is not verified anew.
func TestOldRunsAreRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	o := w.options(alerts, policyStats)
	o.KeepRuns, o.VerifyEvery = 10*day, 60*day
	for range 4 {
		w.mustSync(o)
		w.sim.Advance(4 * day)
	}
	first := w.mustSync(o)
	for name, r := range first.Streams {
		if r.Verified != "" {
			t.Errorf("%s was verified too early", name)
		}
	}
	// The first of each stream, those of the last ten days and today's.
	if got := w.private("SELECT string_agg(DISTINCT run_id, ' ' ORDER BY run_id) FROM sync_runs"); got != "run-001 run-003 run-004 run-005" {
		t.Errorf("left are %s", got)
	}
	w.sim.Advance(50 * day)
	if later := w.mustSync(o); later.Streams[alerts].Verified != "match" {
		t.Errorf("not verified: %+v", later.Streams[alerts])
	}
	w.equalsTruth(apisim.Alerts)
	if got := w.published("SELECT count(*) FROM policy_stats_summary"); got != "6" {
		t.Errorf("%s summaries of 6 answers", got)
	}
	if got := w.private("SELECT (SELECT count(*) FROM internal.unsettled) || ' ' || (SELECT count(*) FROM internal.changed_partitions) || ' ' || (SELECT count(*) FROM sync_coverage)"); got != "0 0 2" {
		t.Errorf("unsettled, changed, covered: %s", got)
	}
	w.matches(o)
}

// A record whose time is up leaves the quarantine and the published file in the same
// run, and is said to have. The source still gives it: no run takes it up again, and
// the proof holds.
func TestOldRejectsAreRemovedForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 3, AlertsPerDay: 120})
	o := w.options(alerts)
	o.KeepRejects, o.VerifyEvery = day, 7*day
	at := noon.Add(-time.Hour)
	w.sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"policyName":"no id","timestamp":%q}`, at.Format(time.RFC3339)))
	w.mustSync(o)
	w.sim.Advance(40 * time.Hour) // still within the lookback
	w.sim.AddRaw(apisim.Alerts, w.sim.Now().Add(-time.Hour), `{"id":"younger","timestamp":"yesterday"}`)
	w.warnings = nil
	w.mustSync(o)
	w.mustSync(o)
	if got := w.published("SELECT string_agg(raw, ' ') FROM rejected_records"); got != `{"id":"younger","timestamp":"yesterday"}` {
		t.Errorf("left are %s", got)
	}
	if got := strings.Join(w.warnings, "\n"); got != "alerts: 1 record older than retention.rejects removed from rejected_records" {
		t.Errorf("said: %s", got)
	}
	if o.Full = true; w.verify(o).Status != "match" {
		t.Errorf("%s", explain(w.verify(o)))
	}
	w.sim.Advance(8 * day)
	if r := w.mustSync(o).Streams[alerts]; r.Verified != "match" {
		t.Errorf("verified: %s", r.Verified)
	}
}

// A clock that is wrong for once removes nothing indefinitely.
func TestAClockFarAheadRemovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 3, AlertsPerDay: 120})
	o := w.options(alerts)
	o.KeepRuns, o.KeepRejects = 30*day, 30*day
	w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Hour), `{"id":"bad","timestamp":7}`)
	for _, skew := range []time.Duration{0, 0, 300 * day, 0} {
		w.skew = skew
		w.mustSync(o)
	}
	if got := w.published("SELECT (SELECT count(*) FROM sync_runs) || ' ' || (SELECT count(*) FROM rejected_records)"); got != "4 1" {
		t.Errorf("runs and rejects left: %s", got)
	}
}
