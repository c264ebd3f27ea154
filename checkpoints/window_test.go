package checkpoints_test

import (
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

func TestReachingPicksTheSmallestWindowThatIsEnough(t *testing.T) {
	now := epoch.AddDate(2, 0, 0)
	for _, c := range []struct {
		back  time.Duration
		want  string
		tries int
	}{
		{0, "24h", 1},
		{24 * time.Hour, "24h", 1},
		{24*time.Hour + time.Second, "7d", 2},
		{31 * 24 * time.Hour, "90d", 4},
		{365 * 24 * time.Hour, "365d", 6},
		{700 * 24 * time.Hour, "365d", 6},
	} {
		tries := checkpoints.Reaching(now, now.Add(-c.back))
		if tries[0].Name != c.want || len(tries) != c.tries || tries[len(tries)-1].Name != "24h" {
			t.Errorf("%v back: %v", c.back, tries)
		}
	}
}
