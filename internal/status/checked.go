package status

import (
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/journal"
)

// Checked says what was checked, and when: no more than that is known to be well.
func (s *Status) Checked() string {
	sync := "No sync was ever complete."
	if run := s.find(func(r *journal.Run) bool { return r.Command == "sync" && r.Job != "" && r.Good() }); run != nil {
		sync = fmt.Sprintf("Last complete sync: %s.", minute(run.FinishedAt))
	}
	v := s.LastVerification()
	if v == nil {
		return sync + " Never compared with the source: 'flashback-sync verify --job verify' does it, and schedule.verify regularly."
	}
	how := "by totals of each month, within a " + v.Command
	if v.Command == jobVerify {
		how = "by totals of each day, with every published file"
	}
	return fmt.Sprintf("%s Last compared with the source, %s: %s, %s.", sync, how, minute(v.FinishedAt), v.Verdict)
}

// LastComplete reports whether the last run of a stream read it completely.
func (s *Status) LastComplete(stream string) bool {
	last := s.lastOf(stream)
	return last != nil && last.Streams[stream].Complete && last.Streams[stream].Error == nil
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
