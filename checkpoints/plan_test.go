package checkpoints_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

func TestDueIsWhatIsMissingAndTheLookback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		covered, stored := drawSet(t, "covered")
		from := rapid.IntRange(0, horizon-1).Draw(t, "from")
		to := rapid.IntRange(from, horizon).Draw(t, "to")
		lookback := 2 * rapid.IntRange(0, horizon/2).Draw(t, "half of the lookback")
		due := checkpoints.Plan{Wanted: interval(from, to), Lookback: time.Duration(lookback) * time.Minute}.Due(covered)
		requireCanonical(t, due)
		again := to - lookback
		if watermark, ok := covered.Extent(); ok {
			again = min(again, int(watermark.To.Sub(epoch)/time.Minute)-lookback/2)
		}
		var want model
		for i := from; i < to; i++ {
			want[i] = !stored[i] || i >= again
		}
		if modelOf(due) != want {
			t.Fatalf("wanted [%d, %d), lookback %d, covered %v: due %v", from, to, lookback, covered, due)
		}
	})
}

func TestDueIsWidenedToWholeSeconds(t *testing.T) {
	wanted := checkpoints.Interval{From: epoch.Add(300 * time.Millisecond), To: epoch.Add(10*time.Second + time.Microsecond)}
	due := checkpoints.Plan{Wanted: wanted}.Due(nil)
	want := checkpoints.Interval{From: epoch, To: epoch.Add(11 * time.Second)}
	if len(due) != 1 || due[0] != want {
		t.Errorf("due %v, want %v", due, want)
	}
}

func TestNothingIsDueOfAnEmptyRange(t *testing.T) {
	future := checkpoints.Plan{Wanted: interval(9, 3), Lookback: time.Hour}
	if due := future.Due(nil); len(due) != 0 {
		t.Errorf("due %v", due)
	}
}

func TestNothingThatExpiredIsDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		covered, stored := drawSet(t, "covered")
		kept := rapid.IntRange(0, horizon).Draw(t, "kept")
		plan := checkpoints.Plan{
			Wanted:   interval(rapid.IntRange(0, horizon-1).Draw(t, "from"), horizon),
			Lookback: time.Duration(rapid.IntRange(0, 2*horizon).Draw(t, "lookback")) * time.Minute,
		}
		all := modelOf(plan.Due(covered))
		plan.Kept = epoch.Add(time.Duration(kept) * time.Minute)
		due := plan.Due(covered)
		requireCanonical(t, due)
		for i, got := range modelOf(due) {
			if want := all[i] && i >= kept; got != want {
				t.Fatalf("minute %d: due %v, want %v; kept from %d, covered %v", i, got, want, kept, stored)
			}
		}
	})
}
