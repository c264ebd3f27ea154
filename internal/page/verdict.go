package page

import (
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// verdict is the state of everything in plain words.
type verdict struct {
	Words string
	Tone  string // ok, bad, warn or note
}

func (v *view) verdict() verdict {
	n := map[status.Level]int64{}
	for _, p := range v.Problems {
		n[p.Level]++
	}
	var words []string
	if bad := n[status.Bad]; bad == 1 {
		words = append(words, "1 thing needs action")
	} else if bad > 1 {
		words = append(words, chart.Count(bad, "thing")+" need action")
	}
	if warn := n[status.Warn]; warn > 0 {
		words = append(words, chart.Count(warn, "thing")+" to look at")
	}
	begins := v.Holdings == nil && v.HoldingsError == "" && len(v.Status.Runs) == 0
	switch {
	case n[status.Bad] > 0:
		return verdict{strings.Join(words, ", "), "bad"}
	case begins && v.Running != nil:
		return verdict{"The first run is in progress", "note"}
	case begins:
		return verdict{"Nothing has been synced yet", "note"}
	case n[status.Warn] > 0:
		return verdict{strings.Join(words, ", "), "warn"}
	}
	return verdict{"No problems found", "ok"}
}

// Heading is what the list of problems is called.
func (v *view) Heading() string {
	if v.Problems[0].Level == status.Note { // the gravest
		return "Notes"
	}
	return "Problems"
}

// figure is one of the numbers that people look for first.
type figure struct {
	Name  string
	Value string
	Tone  string // "" for one that is as it should be
	// Before is shown before At, Note after it.
	Before, Note string
	At           *time.Time
}

// Figures are those below the verdict.
func (v *view) Figures() (all []figure) {
	if v.Holdings == nil {
		return []figure{v.lastRun(), v.nextRun()}
	}
	rows := int64(0)
	for i := range v.Holdings.Streams {
		s := &v.Holdings.Streams[i]
		rows += max(0, s.Rows)
		all = append(all, v.freshness(s))
	}
	stored := figure{Name: "Rows stored", Value: large(rows), Note: size(v.Holdings.DuckDBBytes+v.Holdings.LakeBytes) + ", published " + span.Ago(v.At, v.Holdings.At)}
	return append(all, v.lastRun(), v.nextRun(), stored)
}

func (v *view) freshness(s *status.Stream) figure {
	f := figure{Name: title(s.Name), Value: v.lag(s), At: v.Fresh(s.Name)}
	if f.At != nil {
		f.Before = "read up to"
	}
	if f.Value == "" {
		f.Value = "never complete"
	}
	if _, known := v.Lag(s.Name); !known || s.Retired || !v.Awaited(s.Name) {
		f.Tone = "quiet"
	}
	if v.Stale(s.Name) {
		f.Tone, f.Note = "bad", "stale: more than "+span.Words(v.StaleAfter)
	}
	return f
}

func (v *view) lastRun() figure {
	for i := range v.Status.Runs {
		if r := &v.Status.Runs[i]; r.Status != journal.Skipped {
			return figure{
				Name: "Last run", Value: r.Status, Tone: tone(r.Status), At: &r.FinishedAt,
				Note: r.Name() + ", took " + span.Words(r.Took()),
			}
		}
	}
	return figure{Name: "Last run", Value: "none yet", Tone: "quiet"}
}

func (v *view) nextRun() figure {
	f := figure{Name: "Next run", Value: "not scheduled", Tone: "quiet"}
	for _, j := range v.Status.Jobs {
		if j.Next.IsZero() || f.At != nil && !j.Next.Before(*f.At) {
			continue
		}
		f.Value, f.Tone, f.At, f.Note = "now", "", &j.Next, j.Name
		if wait := j.Next.Sub(v.At); wait > 0 {
			f.Value = "in " + span.Words(wait)
		}
	}
	return f
}
