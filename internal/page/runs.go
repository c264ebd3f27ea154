package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

// mostRuns bounds the runs of a page; the journal has more.
const mostRuns = 40

// runs is the newest part of the journal.
type runs struct {
	Lines []line
	More  string // what is left out
	Chart *chart.Columns
}

// line is a run, or slots that were skipped one after the other.
type line struct {
	*journal.Run
	New, Changed int64
	Answers      string // by status, if not all are 200, and what was sent again
	Same         bool   // the error is that of the line above
	Skipped      *skipped
}

type skipped struct {
	Slots string
	Names string
	From  time.Time
	To    *time.Time // nil for one slot
	Why   string
}

// Runs arranges the newest runs.
func (v *view) Runs() *runs {
	out := &runs{}
	var shown []*journal.Run
	all := v.Status.Runs
	for len(all) > 0 && len(shown) < mostRuns {
		if n := skips(all); n > 0 {
			out.Lines = append(out.Lines, line{Skipped: skippedSlots(all[:n])})
			all = all[n:]
			continue
		}
		l := newLine(&all[0])
		l.Same = len(shown) > 0 && l.Error != "" && shown[len(shown)-1].Error == l.Error && shown[len(shown)-1].Hint == l.Hint
		out.Lines = append(out.Lines, l)
		shown = append(shown, &all[0])
		all = all[1:]
	}
	if len(all) > 0 {
		out.More = chart.Count(int64(len(all)), "older run")
	}
	if len(shown) > 0 {
		slices.Reverse(shown)
		out.Chart = durations(shown)
	}
	return out
}

func skips(all []journal.Run) (n int) {
	for n < len(all) && all[n].Status == journal.Skipped {
		n++
	}
	return n
}

// skippedSlots sums up slots; the newest come first.
func skippedSlots(all []journal.Run) *skipped {
	last := all[len(all)-1]
	s := &skipped{Slots: chart.Count(int64(len(all)), "slot"), From: last.StartedAt, Why: last.Error}
	if len(all) > 1 {
		s.To = &all[0].StartedAt
	}
	names := map[string]bool{}
	for i := range all {
		names[all[i].Name()] = true
	}
	s.Names = strings.Join(slices.Sorted(maps.Keys(names)), ", ")
	return s
}

func newLine(r *journal.Run) line {
	l := line{Run: r}
	for _, s := range r.Streams {
		l.New += s.Inserted
		l.Changed += s.Updated
	}
	if r.Sent() != r.Requests["200"] || r.Retries > 0 {
		l.Answers = answers(r)
	}
	return l
}

// answers says how requests ended.
func answers(r *journal.Run) string {
	var words []string
	for _, s := range slices.Sorted(maps.Keys(r.Requests)) {
		name := s
		if s == "none" {
			name = "no answer"
		}
		words = append(words, comma(r.Requests[s])+" × "+name)
	}
	if r.Retries > 0 {
		retries := comma(r.Retries) + " sent again"
		if r.Waited > 0 {
			retries += " after waiting " + span.Words(r.Waited)
		}
		words = append(words, retries)
	}
	return strings.Join(words, ", ")
}

// durations is a chart of the runs, the oldest first.
func durations(shown []*journal.Run) *chart.Columns {
	first, last := shown[0], shown[len(shown)-1]
	c := &chart.Columns{
		Words: chart.Words{ID: "durations", Title: "How long runs took", Summary: durationWords(shown)}, Of: chart.Durations, What: "Run",
		Series: []chart.Series{{Name: "took", Tone: "rows"}}, Ticks: []chart.Tick{chart.TickAt(0, chart.Stamp(first.StartedAt))},
	}
	wide := 100 / float64(max(10, len(shown)))
	for i, r := range shown {
		column := chart.Column{Label: chart.Stamp(r.StartedAt) + " " + r.Name(), From: float64(i) * wide, To: float64(i+1) * wide, Values: []int64{int64(max(0, r.Took()))}}
		if !r.Good() {
			column.Note, column.Tone = r.Status, map[string]string{"bad": "gap", "warn": "partly", "quiet": "unrated"}[tone(r.Status)]
		}
		c.Columns = append(c.Columns, column)
	}
	for _, how := range []string{journal.Failed, journal.Crashed, journal.Partial, journal.Interrupted} {
		lane := chart.Lane{Name: how, Tone: tone(how), Glyph: glyph(tone(how))}
		for i, r := range shown {
			if r.Status == how {
				lane.At = append(lane.At, (float64(i)+0.5)*wide)
			}
		}
		if len(lane.At) > 0 {
			c.Lanes = append(c.Lanes, lane)
		}
	}
	if end := float64(len(shown)) * wide; end > 60 { // there is room for both
		c.Ticks = append(c.Ticks, chart.TickAt(end, chart.Stamp(last.StartedAt)))
	}
	return c
}

func durationWords(shown []*journal.Run) string {
	sorted := slices.SortedFunc(slices.Values(shown), func(a, b *journal.Run) int { return cmp.Compare(a.Took(), b.Took()) })
	good := int64(0)
	for _, r := range shown {
		if r.Good() {
			good++
		}
	}
	longest := sorted[len(sorted)-1]
	return fmt.Sprintf("The newest %s, the oldest first: %s ok. The usual run took %s, the longest %s (%s, %s).", chart.Count(int64(len(shown)), "run"),
		comma(good), span.Words(sorted[len(sorted)/2].Took()), span.Words(longest.Took()), longest.Name(), chart.Stamp(longest.StartedAt))
}
