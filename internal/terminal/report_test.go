package terminal

import (
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/audit"
)

// A figure is counted or not printed.
func TestWhatWasNotComparedHasNoFigures(t *testing.T) {
	noon := time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC)
	for _, status := range []audit.Status{audit.NotSynced, audit.NotVerified, audit.NotServed} {
		for _, cell := range figures(&audit.Stream{Stream: "alerts", Status: status, From: noon, To: noon})[2:] {
			if cell != "–" {
				t.Errorf("%s: %v", status, cell)
			}
		}
	}
}
