package run_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/load"
)

// However the source reads its bounds, a verification finds nothing where nothing
// is wrong, finds exactly what was taken away by hand, and a repair restores it.
func TestProofUnderAnySemantics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		w, end := makeWorld(rt, dir, apisim.Options{Seed: rapid.Uint64Range(1, 1000).Draw(rt, "seed"), Now: noon, Semantics: drawSemantics(rt)})
		defer end()
		w.start = noon.AddDate(0, 0, -9).Truncate(day)
		drawClusters(rt, w)
		o := w.options(alerts)
		w.mustSync(o)
		w.matches(o)
		taken := w.take(rt)
		report := w.verify(o)
		if s := report.Streams[0]; s.Missing != taken || s.Extra+s.Differs+s.Unproven != 0 || (taken > 0) != (report.Status == audit.Differs) {
			rt.Fatalf("%d rows were taken away: %s", taken, explain(report))
		}
		done := w.repair(o)
		if taken > 0 && (done.Left == nil || done.Left.Status != audit.Match) {
			rt.Fatalf("%d rows were taken away; found %s; left %+v", taken, explain(done.Found), done.Left)
		}
		w.matches(o)
		if stored := w.published("SELECT count(DISTINCT id) || ' of ' || count(*) FROM alerts"); stored != fmt.Sprintf("%[1]d of %[1]d", w.sim.Len(apisim.Alerts)) {
			rt.Fatalf("%s ids are stored of %d", stored, w.sim.Len(apisim.Alerts))
		}
	})
}

func drawSemantics(t *rapid.T) apisim.Semantics {
	resolution := apisim.Resolution(rapid.IntRange(0, 4).Draw(t, "resolution"))
	return apisim.Semantics{
		Resolution:    resolution,
		Digits:        apisim.Digits(rapid.IntRange(0, 2).Draw(t, "digits")),
		FromExclusive: rapid.Bool().Draw(t, "from exclusive") && resolution != apisim.WholeDay,
		ToExclusive:   rapid.Bool().Draw(t, "to exclusive"),
		ShuffleTies:   rapid.Bool().Draw(t, "shuffle"),
		LowerTake:     rapid.SampledFrom([]int{0, 0, 0, 50, 13}).Draw(t, "take"),
	}
}

// drawClusters adds rows close together and far apart, many of them at midnight,
// where days meet.
func drawClusters(t *rapid.T, w *world) {
	for i := range rapid.IntRange(1, 5).Draw(t, "clusters") {
		n := rapid.SampledFrom([]int{1, 20, 101, 250, 600}).Draw(t, fmt.Sprint("rows", i))
		step := rapid.SampledFrom([]time.Duration{0, 300 * time.Microsecond, time.Millisecond, 97 * time.Millisecond, time.Second, 11 * time.Minute}).Draw(t, fmt.Sprint("step", i))
		at := w.start.Add(day + time.Duration(rapid.Int64Range(0, int64(7*day/time.Millisecond)).Draw(t, fmt.Sprint("at", i)))*time.Millisecond)
		if rapid.Bool().Draw(t, fmt.Sprint("midnight", i)) {
			at = at.Truncate(day).Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, fmt.Sprint("beside", i))) * time.Millisecond)
		}
		rows := make([]apisim.Row, n)
		for j := range rows {
			rows[j] = w.sim.NewRow(apisim.Alerts, at.Add(time.Duration(j)*step), i*1000+j)
			rows[j].ID = fmt.Sprintf("row-%d-%d", i, j)
		}
		w.sim.AddAlerts(rows...)
	}
}

// take takes some of the rows away by hand that are within what was wanted.
func (w *world) take(t *rapid.T) (taken int64) {
	share := rapid.SampledFrom([]int{1, 2, 10, 97}).Draw(t, "one of")
	where := fmt.Sprintf("hash(id) %% %d = 0 AND timestamp < TIMESTAMPTZ '2026-03-18 12:34:00Z'", share) // later rows are not claimed yet
	before := w.private("SELECT count(*) FROM alerts WHERE " + where)
	tamper(t, load.File(w.dir), "DELETE FROM alerts WHERE "+where)
	if _, err := fmt.Sscan(before, &taken); err != nil {
		t.Fatal(err)
	}
	return taken
}
