package run_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// Whoever restores the published files and forgets the warehouse, or loses it, does
// not have them replaced by what the source still gives.
func TestARunWithoutItsWarehouseReplacesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.start = noon.AddDate(0, 0, -10)
	o := w.options(alerts, policyStats)
	w.mustSync(o)
	stats := w.published("SELECT count(*) FROM policy_stats WHERE closed")
	before := w.files()
	w.sim.SetNow(noon.AddDate(0, 13, 0)) // what was read is out of the windows' reach
	if err := os.Remove(load.File(w.dir)); err != nil {
		t.Fatal(err)
	}
	var damaged *duckdb.DamagedError
	if _, err := w.sync(context.Background(), o); !errors.As(err, &damaged) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, w.files()); diff != "" {
		t.Errorf("published files changed:\n%s", diff)
	}
	w.rebuild(o)
	if got := w.published("SELECT count(*) FROM policy_stats WHERE closed AND bucket_start < ?", noon); got != stats {
		t.Errorf("%s of %s old statistics survived", got, stats)
	}
}
