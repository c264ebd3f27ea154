package run_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

// only is the truth of the rows that match.
func (w *world) only(stream apisim.Stream, match func(apisim.Row) bool) map[string]fields {
	want := map[string]fields{}
	for _, row := range w.sim.Rows(stream) {
		if match(row) {
			want[row.ID] = fieldsOf(stream, row)
		}
	}
	return want
}

func TestAChangedFilterFetchesWhatItLacked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	high, graver := w.options(violations), w.options(violations)
	high.Lists[0].Query.Severity = []string{"HIGH"}
	graver.Lists[0].Query.Severity = []string{"HIGH", "MEDIUM"}
	w.mustSync(high)
	w.holds(apisim.Violations, w.only(apisim.Violations, func(r apisim.Row) bool { return r.Severity != nil && *r.Severity == "HIGH" }))
	w.mustSync(graver)
	w.holds(apisim.Violations, w.only(apisim.Violations, func(r apisim.Row) bool { return r.Severity != nil && *r.Severity != "LOW" }))
	w.mustSync(w.options(violations))
	w.equalsTruth(apisim.Violations)
	if got := w.published(`SELECT count(DISTINCT "filter") FROM sync_coverage WHERE stream = 'violations'`); got != "3" {
		t.Errorf("%s filter sets in the ledger, want 3", got)
	}
}

func TestPoliciesAreReadOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	org := w.sim.Organisation()
	ids := []string{org.Policies[0].ID, org.Policies[2].ID}
	some := w.options(alerts)
	some.Lists[0].Policies = ids
	w.mustSync(some)
	w.holds(apisim.Alerts, w.only(apisim.Alerts, func(r apisim.Row) bool { return slices.Contains(ids, r.PolicyID) }))
	for _, r := range w.requests(apisim.Alerts) {
		if r.Path != "/policy/"+ids[0]+"/alerts" && r.Path != "/policy/"+ids[1]+"/alerts" {
			t.Errorf("asked %s", r.Path)
		}
	}
	ids = append(ids, org.Policies[1].ID) // one more is read from the start
	some.Lists[0].Policies = ids
	w.mustSync(some)
	w.holds(apisim.Alerts, w.only(apisim.Alerts, func(r apisim.Row) bool { return slices.Contains(ids, r.PolicyID) }))
}

func TestAPolicyThatIsGoneLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]int{"first": 0, "last": 1} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, small())
			known := w.sim.Organisation().Policies[0].ID
			o := w.options()
			o.Lists[0].Policies = slices.Insert([]string{known}, place, "no-such-policy")
			summary, err := w.sync(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			r := summary.Streams[alerts]
			if !errors.Is(r.Err, run.ErrIncomplete) || r.Complete || summary.Status != "partial" {
				t.Errorf("status %s, %+v", summary.Status, *r)
			}
			w.holds(apisim.Alerts, w.only(apisim.Alerts, func(r apisim.Row) bool { return r.PolicyID == known }))
			w.equalsTruth(apisim.Violations)
		})
	}
}

func TestAStreamThatIsNotServed(t *testing.T) {
	t.Parallel()
	o := small()
	o.Semantics.NoViolations = true
	w := newWorld(t, o)
	options := w.options()
	options.Lists[1].Optional = true
	summary := w.mustSync(options)
	if r := summary.Streams[violations]; r.Served || r.Requests != 1 {
		t.Errorf("%+v, want not served after one request", *r)
	}
	w.equalsTruth(apisim.Alerts)

	options.Lists[1].Optional = false
	summary, err := w.sync(context.Background(), options)
	r := summary.Streams[violations]
	if err != nil || api.KindOf(r.Err) != api.NotFound || r.Complete {
		t.Errorf("%v, %+v", err, *r)
	}

	w.sim.SetSemantics(apisim.Semantics{}) // served from now on
	w.mustSync(w.options())
	w.equalsTruth()
}

func TestAStreamThatFailsLeavesTheOtherComplete(t *testing.T) {
	t.Parallel()
	for _, failing := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		t.Run(string(failing), func(t *testing.T) {
			w := newWorld(t, small())
			other := map[apisim.Stream]apisim.Stream{apisim.Alerts: apisim.Violations, apisim.Violations: apisim.Alerts}[failing]
			remove := w.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 503, Stream: failing, From: 3})
			summary, err := w.sync(context.Background(), w.options())
			if err != nil {
				t.Fatal(err)
			}
			bad, good := summary.Streams[string(failing)], summary.Streams[string(other)]
			if api.KindOf(bad.Err) != api.Unreachable || bad.Complete || summary.Status != "partial" {
				t.Errorf("status %s, %+v", summary.Status, *bad)
			}
			if good.Err != nil || !good.Complete {
				t.Errorf("%+v", *good)
			}
			w.equalsTruth(other)
			if got := w.published("SELECT status || ' ' || complete FROM sync_runs WHERE stream = ?", string(failing)); got != "failed false" {
				t.Errorf("sync_runs says %q", got)
			}
			remove()
			w.mustSync(w.options())
			w.equalsTruth()
		})
	}
}

func TestRefusedTokenIsDistinguished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.sim.SetToken("another")
	summary, err := w.sync(context.Background(), w.options(alerts, violations, policyStats))
	if err != nil || summary.Status != "failed" {
		t.Fatalf("status %s, %v", summary.Status, err)
	}
	for name, r := range summary.Streams {
		if api.KindOf(r.Err) != api.Unauthorized || r.Complete || r.Received != 0 {
			t.Errorf("%s: %+v", name, *r)
		}
	}
	w.sim.SetToken("")
	w.mustSync(w.options())
	w.equalsTruth()
}

func TestRowsAddedAndDeletedWhileReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	gone := w.sim.Rows(apisim.Alerts)[1]
	w.sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 502, Every: 4})
	adding := 0
	w.sim.SetOnRequest(func(_ *http.Request, n int) {
		if adding++; adding%3 == 0 {
			w.add(apisim.Alerts, noon.Add(-time.Duration(adding)*time.Minute), 2)
		}
		if n == 4 {
			w.sim.Delete(apisim.Alerts, gone.ID)
		}
	})
	w.mustSync(w.options())
	w.sim.SetOnRequest(nil)
	w.sim.ClearFaults()
	w.mustSync(w.options())
	want := w.truth(apisim.Alerts)
	if w.published("SELECT count(*) FROM alerts WHERE id = ?", gone.ID) == "1" {
		want[gone.ID] = fieldsOf(apisim.Alerts, gone)
	}
	w.holds(apisim.Alerts, want)
	w.equalsTruth(apisim.Violations)
}
