package run_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

func TestFewRejectsAreStoredAndCovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	want := w.truth(apisim.Alerts)
	at := noon.Add(-time.Hour)
	raw := []string{
		fmt.Sprintf(`{"policyName":"no id","timestamp":%q}`, at.Format(time.RFC3339)),
		`{"id":"no readable timestamp","timestamp":"yesterday"}`,
	}
	for _, record := range raw {
		w.sim.AddRaw(apisim.Alerts, at, record)
	}
	r := w.mustSync(w.options(alerts)).Streams[alerts]
	if r.Rejected < 2 || r.Inserted != int64(len(want)) {
		t.Errorf("%+v, want two rejected", *r)
	}
	w.holds(apisim.Alerts, want)
	got := w.published("SELECT string_agg(raw, '\n' ORDER BY raw DESC) FROM rejected_records WHERE stream = 'alerts' AND run_id = 'run-001' AND reason <> ''")
	if want := raw[0] + "\n" + raw[1]; got != want {
		t.Errorf("quarantined:\n%s\nwant:\n%s", got, want)
	}
	if got := w.published("SELECT count(*) || ' ' || epoch_us(min(from_ts)) || ' ' || epoch_us(max(to_ts)) FROM sync_coverage"); got != "1 "+unix(w.start)+" "+unix(noon) {
		t.Errorf("covered: %s", got)
	}
	before := w.files()
	w.mustSync(w.options(alerts)) // meets them again
	if got := w.published("SELECT count(*) FROM rejected_records"); got != "2" {
		t.Errorf("%s rows in quarantine", got)
	}
	if w.files()["flashback.duckdb"] != before["flashback.duckdb"] {
		t.Error("rejects that were known already made a run rewrite the file")
	}
}

func TestTooManyRejectsAreAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	want := w.truth(apisim.Alerts)
	for i := range len(want)/20 + 1 {
		w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Duration(i)*time.Minute), fmt.Sprintf(`{"id":%d}`, i))
	}
	summary, err := w.sync(context.Background(), w.options())
	r := summary.Streams[alerts]
	if err != nil || !errors.Is(r.Err, run.ErrIncomplete) || r.Complete || summary.Status != "partial" {
		t.Errorf("%v, %s, %+v", err, summary.Status, *r)
	}
	w.holds(apisim.Alerts, want)
	w.equalsTruth(apisim.Violations)
}

// A few bad records of a short list are in quarantine, and no more than that.
func TestAFewRejectsAreNoFailure(t *testing.T) {
	t.Parallel()
	for n, partial := range map[int]bool{10: false, 11: true} {
		w := newWorld(t, apisim.Options{Seed: 3, Now: noon, Days: 5, AlertsPerDay: 10})
		for i := range n {
			w.sim.AddRaw(apisim.Alerts, noon.Add(-time.Duration(i+1)*time.Minute), fmt.Sprintf(`{"id":%d}`, i))
		}
		summary, err := w.sync(context.Background(), w.options(alerts))
		r := summary.Streams[alerts]
		if err != nil || errors.Is(r.Err, run.ErrIncomplete) != partial || r.Rejected != int64(n) || r.Received > 100 {
			t.Errorf("%d of %d rejected: %v, %v", n, r.Received, err, r.Err)
		}
	}
}

func TestATotalThatIsNeverReachedIsIncomplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	m := w.sim.Semantics()
	m.TotalOffset = 3
	w.sim.SetSemantics(m)
	summary, err := w.sync(context.Background(), w.options(alerts))
	r := summary.Streams[alerts]
	if err != nil || !errors.Is(r.Err, run.ErrIncomplete) || r.Complete || r.Requests > 60 {
		t.Errorf("%v, %+v", err, *r)
	}
	w.sim.SetSemantics(apisim.Semantics{})
	w.mustSync(w.options(alerts))
	w.equalsTruth(apisim.Alerts)
}
