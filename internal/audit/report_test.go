package audit_test

import (
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/audit"
)

func TestWhatDiffersInManySeriesIsSaidOnce(t *testing.T) {
	r := &audit.Report{}
	for range 41 {
		r.Streams = append(r.Streams, &audit.Stream{Stream: "policy_stats", Status: audit.Differs, Counts: audit.Counts{Differs: 1}})
	}
	if got := r.Differences(); got != "41 changed in policy_stats" {
		t.Error(got)
	}
}
