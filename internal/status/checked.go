package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Checked says what was checked, and when: no more than that is known to be well.
func (s *Status) Checked() string {
	parts := []string{"No sync was ever complete."}
	if run := s.find(func(r *journal.Run) bool { return r.Command == "sync" && r.Job != "" && r.Good() }); run != nil {
		parts[0] = fmt.Sprintf("Last complete sync: %s.", minute(run.FinishedAt))
	}
	switch v := s.LastVerification(); {
	case v == nil:
		parts = append(parts, "Never compared with the source: 'flashback-sync verify --job verify' does it, and schedule.verify regularly.")
	case v.Command == "sync":
		parts = append(parts, fmt.Sprintf("Last compared with the source, by totals of months: %s, %s.", minute(v.FinishedAt), v.Verdict))
	default:
		parts = append(parts, fmt.Sprintf("Rows and published files last compared with the source: %s, %s.", minute(v.FinishedAt), v.Verdict))
	}
	return strings.Join(parts, " ")
}

// LastComplete reports whether the last run of a stream read it completely.
func (s *Status) LastComplete(stream string) bool {
	last := s.lastOf(stream)
	return last != nil && last.Streams[stream].Complete && last.Streams[stream].Error == ""
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
