package page

import (
	"strings"
	"time"

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
		words = append(words, count(bad, "thing")+" need action")
	}
	if warn := n[status.Warn]; warn > 0 {
		words = append(words, map[bool]string{true: "1 thing to look at", false: count(warn, "thing") + " to look at"}[warn == 1])
	}
	text := strings.Join(words, ", ")
	switch {
	case n[status.Bad] > 0:
		return verdict{text, "bad"}
	case v.fresh() && v.Running != nil:
		return verdict{"The first run is in progress", "note"}
	case v.fresh():
		return verdict{"Nothing has been synced yet", "note"}
	case n[status.Warn] > 0:
		return verdict{text, "warn"}
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

// fresh reports whether this is an installation that has not begun.
func (v *view) fresh() bool {
	return v.Holdings == nil && v.HoldingsError == "" && len(v.Status.Runs) == 0
}

// figure is one of the numbers that people look for first.
type figure struct {
	Name  string
	Value string
	Tone  string // "" for one that is as it should be
	// Before is said before At, Note after it.
	Before, Note string
	At           *moment
}

func (v *view) figures() (all []figure) {
	if v.Holdings != nil {
		for i := range v.Holdings.Streams {
			all = append(all, v.freshness(&v.Holdings.Streams[i]))
		}
	}
	all = append(all, v.lastRun(), v.nextRun())
	if h := v.Holdings; h != nil {
		rows := int64(0)
		for _, s := range h.Streams {
			rows += max(0, s.Rows)
		}
		f := figure{Name: "Rows stored", Value: large(rows), Note: "published " + span.Ago(v.At, h.At)}
		if held := h.DuckDBBytes + h.LakeBytes; held > 0 {
			f.Note = size(held) + ", " + f.Note
		}
		all = append(all, f)
	}
	return all
}

func (v *view) freshness(s *status.Stream) figure {
	f := figure{Name: title(s.Name), Value: "never complete", Tone: "quiet", At: v.maybe(v.Fresh(s.Name))}
	if f.At != nil {
		f.Before = "read up to"
	}
	if why := v.idle(s); why != "" {
		f.Value = why
	} else if lag, known := v.Lag(s.Name); known {
		f.Value, f.Tone = behind(lag), ""
	}
	if v.Stale(s.Name) {
		f.Tone, f.Note = "bad", "stale: more than "+span.Words(v.StaleAfter)
	}
	return f
}

// idle says why no rows of a stream are awaited, "" if they are.
func (v *view) idle(s *status.Stream) string {
	switch {
	case s.Retired:
		return "no longer synced"
	case !v.Awaited(s.Name):
		return "not served"
	}
	return ""
}

// behind tells how far a stream lags; what is read within a minute is up to date.
func behind(lag time.Duration) string {
	if lag < time.Minute {
		return "up to date"
	}
	return span.Rough(lag) + " behind"
}

func (v *view) lastRun() figure {
	f := figure{Name: "Last run", Value: "none yet", Tone: "quiet"}
	for i := range v.Status.Runs {
		if r := &v.Status.Runs[i]; r.Status != journal.Skipped {
			f.Value, f.Tone, f.At = r.Status, tone(r.Status), v.moment(r.FinishedAt)
			f.Note = named(r) + ", took " + span.Words(max(0, r.Took()))
			return f
		}
	}
	return f
}

func (v *view) nextRun() figure {
	f := figure{Name: "Next run", Value: "not scheduled", Tone: "quiet"}
	for _, j := range v.Status.Jobs {
		if j.Next.IsZero() || f.At != nil && !j.Next.Before(f.At.At) {
			continue
		}
		f.Value, f.Tone, f.At, f.Note = "now", "", v.moment(j.Next), j.Name
		if wait := j.Next.Sub(v.At); wait > 0 {
			f.Value = "in " + span.Words(wait)
		}
	}
	return f
}

// named is what a run is called: its job, or else its command.
func named(r *journal.Run) string {
	if r.Job != "" {
		return r.Job
	}
	return r.Command
}
