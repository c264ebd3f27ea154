package extract

import (
	"fmt"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// A source that ignores the time of day is read day by day: what is read is covered as
// soon as it is proven, and few rows are requested twice.
func TestASourceThatIgnoresTheTimeOfDayIsCoveredDayByDay(t *testing.T) {
	for i, m := range []apisim.Semantics{
		{Resolution: apisim.TruncatedDay},
		{Resolution: apisim.TruncatedDay, ToExclusive: true},
		{Resolution: apisim.WholeDay},
		{Resolution: apisim.WholeDay, FromExclusive: true, ToExclusive: true},
		{Resolution: apisim.WholeDay, ShuffleTies: true, LowerTake: 50},
	} {
		for _, perDay := range []int{40, 500} {
			t.Run(fmt.Sprint(i, perDay), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				const days = 12
				sim := apisim.New(apisim.Options{NoGzip: true, Seed: 7, Now: noon, Days: days, AlertsPerDay: perDay, Semantics: m})
				all := truth(t, sim, anyPage)
				before := sim.RequestCount()
				steps, longest := 0, time.Duration(0)
				r := readWith(dial(t, sim), func(_ *reading, page Page) {
					for _, covered := range page.Covered {
						steps, longest = steps+1, max(longest, checkpoints.Of(covered).Duration())
					}
				}, Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -days), noon), Open: true})
				r.expect(t, func(int) []shown { return all })
				pages := (len(all) + 99) / 100
				requests := sim.RequestCount() - before
				t.Logf("%d rows, %d requests, %d steps, the longest %v", len(all), requests, steps, longest)
				if perDay > 100 && (steps < days/2 || longest > 3*24*time.Hour) {
					t.Errorf("covered in %d steps, the longest %v", steps, longest)
				}
				if m.LowerTake > 0 {
					pages *= 100 / m.LowerTake
				}
				if requests > 3*pages+2*days {
					t.Errorf("%d requests for %d pages", requests, pages)
				}
			})
		}
	}
}
