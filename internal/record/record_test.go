package record

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// For the race detector.
func TestARunIsRecordedWhileItsStartIsReported(t *testing.T) {
	r := New(Options{DataDir: t.TempDir(), Client: &api.Client{}})
	r.Observe(run.Event{Kind: run.Opened})
	r.Synced(&run.Summary{})
	r.End(t.Context(), 7, nil, "")
}

// A line of the journal that is too long would hide those behind it.
func TestErrorsAreNotedInOneLineOfBoundedLength(t *testing.T) {
	r, text := &Recorder{}, "first\nsecond "+strings.Repeat("ü", 1<<20)
	r.Synced(&run.Summary{Streams: map[string]*run.Result{"alerts": {Stream: journal.Stream{Error: &text}}}})
	if got := *r.run.Streams["alerts"].Error; !strings.HasPrefix(got, "first; second ü") || len(got) > 5000 {
		t.Errorf("%d bytes: %.30q", len(got), got)
	}
}

// Streams are in no order.
func TestTheGravestVerdictIsNoted(t *testing.T) {
	for range 20 {
		r := &Recorder{}
		r.Synced(&run.Summary{Streams: map[string]*run.Result{
			"alerts": {Stream: journal.Stream{Verified: "match"}}, "violations": {Stream: journal.Stream{Verified: "extra"}},
			"policy_stats": {Stream: journal.Stream{Verified: "missing", VerifiedMissing: 3}}, "other": {},
		}})
		if r.run.Verdict != "missing" || r.run.Missing != 3 {
			t.Fatalf("got %q, %d missing", r.run.Verdict, r.run.Missing)
		}
	}
}
