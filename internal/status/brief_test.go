package status

import (
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

// A range that the source can no longer give is no gap that a run could close.
func TestWhatIsLostIsCountedOnce(t *testing.T) {
	at := func(n int) time.Time { return time.Date(2026, 3, 18, 12, 0, n, 0, time.UTC) }
	s := &Status{Holdings: &Holdings{Streams: []Stream{{Name: "policy_stats", Lanes: []Lane{{
		Covered: checkpoints.Set{{From: at(0), To: at(1)}, {From: at(2), To: at(3)}, {From: at(4), To: at(5)}},
		Lost:    checkpoints.Set{{From: at(1), To: at(2)}},
	}}}}}}
	if got := s.Brief().Streams[2]; got.Gaps != 1 || got.Lost != 1 {
		t.Errorf("got %+v", got)
	}
}
