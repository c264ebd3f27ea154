package page

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

// durations is a chart of the runs, the oldest first; nil without any.
func durations(shown []*journal.Run) *chart.Columns {
	if len(shown) == 0 {
		return nil
	}
	c := &chart.Columns{
		Words: chart.Words{ID: "durations", Title: "How long runs took"}, Of: chart.Durations, Unit: "", What: "Run", High: 90,
		Series: []chart.Series{{Name: "took", Tone: "rows"}},
	}
	wide := 100 / float64(max(10, len(shown)))
	lanes := map[string]*chart.Lane{}
	for i := range shown {
		r := shown[len(shown)-1-i]
		column := chart.Column{Label: clock(r.StartedAt) + " " + named(r), From: float64(i) * wide, To: float64(i+1) * wide, Values: []int64{int64(max(0, r.Took()))}}
		if !r.Good() {
			column.Note, column.Tone = r.Status, map[string]string{"bad": "gap", "warn": "partly", "quiet": "unrated"}[tone(r.Status)]
			l := lanes[r.Status]
			if l == nil {
				l = &chart.Lane{Name: r.Status, Tone: tone(r.Status), Glyph: glyph(r.Status)}
				lanes[r.Status] = l
			}
			l.At = append(l.At, (column.From+column.To)/2)
		}
		c.Columns = append(c.Columns, column)
	}
	for _, s := range []string{journal.Failed, journal.Crashed, journal.Partial, journal.Interrupted} {
		if l := lanes[s]; l != nil {
			c.Lanes = append(c.Lanes, *l)
		}
	}
	c.Ticks = append(c.Ticks, chart.Tick{X: "0", Text: clock(shown[len(shown)-1].StartedAt), Anchor: "start"})
	if last := c.Columns[len(shown)-1]; last.To > 60 { // there is room for both
		c.Ticks = append(c.Ticks, chart.Tick{X: chart.Number(last.To), Text: clock(shown[0].StartedAt), Anchor: "end"})
	}
	c.Summary = durationWords(shown)
	return c
}

func durationWords(shown []*journal.Run) string {
	sorted := slices.SortedFunc(slices.Values(shown), func(a, b *journal.Run) int { return cmp.Compare(a.Took(), b.Took()) })
	good := 0
	for _, r := range shown {
		if r.Good() {
			good++
		}
	}
	longest := sorted[len(sorted)-1]
	return fmt.Sprintf("The newest %s, the oldest first: %s ok. The usual run took %s, the longest %s (%s, %s).", count(int64(len(shown)), "run"),
		comma(int64(good)), span.Words(sorted[len(sorted)/2].Took()), span.Words(longest.Took()), named(longest), clock(longest.StartedAt))
}
