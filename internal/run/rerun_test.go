package run_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestASecondRunTakesTheNewRowsAndAThirdNothing(t *testing.T) {
	t.Parallel()
	o := small()
	o.Days, o.AlertsPerDay, o.ViolationsPerDay = 14, 280, 150
	w := newWorld(t, o)
	options := w.options()
	first := w.mustSync(options)
	for name, r := range first.Streams { // the resolution, pages that share a row, and one for each part of the history
		if limit := int64((w.sim.Len(apisim.Stream(name))-1)/99 + 3 + 12); r.Requests > limit {
			t.Errorf("%s: %d requests, limit %d", name, r.Requests, limit)
		}
	}
	w.sim.SetNow(w.sim.Now().Add(20 * time.Minute))
	w.add(apisim.Alerts, w.sim.Now().Add(-15*time.Minute), 300)
	w.add(apisim.Violations, w.sim.Now().Add(-15*time.Minute), 7)

	second := w.mustSync(options)
	for name, want := range map[string]int64{alerts: 300, violations: 7} {
		r, was := second.Streams[name], first.Streams[name]
		if r.Inserted != want || r.Updated != 0 || r.Rejected != 0 {
			t.Errorf("%s: %+v, want %d inserted", name, *r, want)
		}
		if r.Requests*3 > was.Requests {
			t.Errorf("%s: %d requests, the first run made %d", name, r.Requests, was.Requests)
		}
	}
	w.equalsTruth()

	before := w.files()
	w.sim.ResetRequests()
	w.sim.SetNow(w.sim.Now().Add(time.Minute))
	third := w.mustSync(options)
	if diff := cmp.Diff(before, w.files()); diff != "" {
		t.Errorf("a run that found nothing new rewrote files (-before +after):\n%s", diff)
	}
	since := w.sim.Now().Add(-lookback)
	for name, r := range third.Streams {
		stream := apisim.Stream(name)
		if r.Inserted+r.Updated+r.Rejected != 0 || r.Received-r.Duplicate != w.since(stream, since) {
			t.Errorf("%s: %+v, the lookback holds %d rows", name, *r, w.since(stream, since))
		}
		if r.From == nil || !r.From.Equal(since.Truncate(time.Second)) {
			t.Errorf("%s: from %v, want %v", name, r.From, since)
		}
		if limit := int64(w.since(stream, since)/100 + 3); r.Requests > limit {
			t.Errorf("%s: %d requests, limit %d", name, r.Requests, limit)
		}
		for _, asked := range w.requests(stream) {
			from, err := time.Parse(time.RFC3339, asked.Query.Get("from"))
			if err != nil || from.Before(since.Add(-2*time.Second)) {
				t.Errorf("%s: asked from %q, the lookback begins at %v", name, asked.Query.Get("from"), since)
			}
		}
	}
}

func TestChangesWithinTheLookbackAreTakenOver(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rows := w.sim.Rows(apisim.Violations)
	changed, moved, left := rows[len(rows)-3].ID, rows[len(rows)-5].ID, rows[len(rows)-7].ID
	before := w.warehouse(schema.Violations())

	w.sim.SetNow(w.sim.Now().Add(time.Hour))
	w.sim.Update(apisim.Violations, changed, func(r *apisim.Row) { r.Severity, r.Explanation, r.Host = ptr("HIGH"), "", nil })
	w.sim.Update(apisim.Violations, moved, func(r *apisim.Row) { r.Timestamp = r.Timestamp.Add(7 * time.Minute) })
	r := w.mustSync(w.options()).Streams[violations]
	if r.Inserted != 0 || r.Updated != 2 {
		t.Errorf("%+v, want two updated", *r)
	}
	w.equalsTruth()
	after := w.warehouse(schema.Violations())
	for _, id := range []string{changed, moved} {
		if was, is := before[id], after[id]; is["_first_synced_at"] != was["_first_synced_at"] || is["_last_changed_at"] <= was["_last_changed_at"] || is["_run_id"] != "run-002" {
			t.Errorf("bookkeeping of a changed row: %v, before %v", is, was)
		}
	}
	if diff := cmp.Diff(before[left], after[left]); diff != "" {
		t.Errorf("an unchanged row was touched:\n%s", diff)
	}
}

func TestARowThatMovedFarIsThereOnce(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	old := w.sim.Rows(apisim.Alerts)[2]
	first := w.warehouse(schema.Alerts())[old.ID]["_first_synced_at"]
	w.sim.SetNow(w.sim.Now().Add(time.Hour))
	w.sim.Update(apisim.Alerts, old.ID, func(r *apisim.Row) { r.Timestamp = noon.Add(10 * time.Minute); r.Message = "moved" })
	r := w.mustSync(w.options()).Streams[alerts]
	if r.Inserted != 0 || r.Updated != 1 {
		t.Errorf("%+v, want one updated", *r)
	}
	w.equalsTruth()
	if got := w.warehouse(schema.Alerts())[old.ID]["_first_synced_at"]; got != first {
		t.Errorf("first synced at %s, before %s", got, first)
	}
	before := w.files()
	w.mustSync(w.options())
	if diff := cmp.Diff(before, w.files()); diff != "" {
		t.Errorf("the run after it rewrote files:\n%s", diff)
	}
}

func TestLateRowsWithinTheLookbackArrive(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	w.sim.SetNow(w.sim.Now().Add(3 * time.Hour))
	w.add(apisim.Alerts, w.sim.Now().Add(-lookback+2*time.Second), 1)
	w.add(apisim.Alerts, w.sim.Now().Add(-20*time.Hour), 5)
	if r := w.mustSync(w.options()).Streams[alerts]; r.Inserted != 6 {
		t.Errorf("%+v, want 6 inserted", *r)
	}
	w.equalsTruth()
}

// A row may become visible some time after its timestamp. If the tool was down
// for longer than the lookback, such rows around the last watermark are in no
// later lookback.
func TestRowsLateAtTheLastWatermarkArriveAfterALongDowntime(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	watermark := w.sim.Now()
	w.add(apisim.Alerts, watermark.Add(-time.Minute), 3)
	w.sim.Advance(2*lookback + time.Hour)
	w.mustSync(w.options())
	w.equalsTruth()
}

func TestRowsDeletedAtTheSourceAreKept(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	rows := w.sim.Rows(apisim.Alerts)
	want := w.truth(apisim.Alerts)
	w.sim.Delete(apisim.Alerts, rows[0].ID, rows[len(rows)-1].ID)
	w.mustSync(w.options())
	w.holds(apisim.Alerts, want)
}

func TestAStartMovedBackIsFilledIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	late := w.options()
	for i := range late.Lists {
		late.Lists[i].Start = noon.Add(-36 * time.Hour)
	}
	w.mustSync(late)
	w.mustSync(w.options())
	w.equalsTruth()
}

func TestRequestedRangeIsReadAgainWhole(t *testing.T) {
	t.Parallel()
	w := synced(t, small())
	old := w.sim.Rows(apisim.Alerts)[5]
	w.sim.Update(apisim.Alerts, old.ID, func(r *apisim.Row) { r.Message = "changed long ago" })
	if r := w.mustSync(w.options()).Streams[alerts]; r.Updated != 0 {
		t.Fatalf("%+v: the row is within the lookback", *r)
	}
	again := w.options()
	again.From, again.To = old.Timestamp.Add(-time.Hour), old.Timestamp.Add(time.Hour)
	r := w.mustSync(again).Streams[alerts]
	if r.Updated != 1 || r.Inserted != 0 || !r.To.Before(old.Timestamp.Add(time.Hour+2*time.Second)) {
		t.Errorf("%+v, want one updated and nothing after the range", *r)
	}
	w.equalsTruth()
}

// A source that lists ids under several times gets one row of each, and wedges
// nothing.
func TestIDsUnderSeveralTimesAreOneRowEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, apisim.Options{Seed: 7, Now: noon, Days: 3, AlertsPerDay: 200})
	o := w.options(alerts)
	w.mustSync(o)
	ids := w.sim.Rows(apisim.Alerts)
	dice := rand.New(rand.NewPCG(3, 5))
	for round := range 3 {
		w.sim.Advance(10 * time.Minute)
		for _, row := range ids[:300] {
			at := w.sim.Now().Add(-time.Duration(dice.Int64N(int64(40 * time.Hour))))
			w.sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":%q,"timestamp":%q,"message":"round %d"}`, row.ID, at.UTC().Format("2006-01-02T15:04:05.000Z"), round))
		}
		summary, err := w.sync(context.Background(), o)
		if err != nil || summary.Status != "ok" {
			t.Fatalf("round %d: %v, %+v", round, err, summary.Streams[alerts])
		}
		if got := w.published("SELECT count(*) - count(DISTINCT id) FROM alerts"); got != "0" {
			t.Fatalf("round %d: %s ids stand twice", round, got)
		}
	}
	if got, want := w.published("SELECT count(*) FROM alerts"), fmt.Sprint(len(w.truth(apisim.Alerts))); got != want {
		t.Errorf("%s rows of %s ids", got, want)
	}
}
