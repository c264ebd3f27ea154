package page

import (
	"fmt"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// lateness shows how late rows come, and what the lookback would catch.
func lateness(s *status.Stream, id string) *chart.Columns {
	l := s.Lateness
	classes := l.Classes
	for _, end := range []time.Duration{l.Max, s.Lookback} { // both have their place in the chart
		if n := len(classes); n == 0 || end > classes[n-1].UpTo {
			if end > 0 {
				classes = append(classes[:n:n], status.LateClass{UpTo: end})
			}
		}
	}
	c := &chart.Columns{
		Words: chart.Words{ID: id + "-late", Title: "How late rows come", Summary: lateWords(s)},
		Unit:  "rows", What: "Late by", Series: []chart.Series{{Name: "rows", Tone: "rows"}}, High: 90, Touch: true,
	}
	wide := 100 / float64(max(1, len(classes)))
	for i, class := range classes {
		label := "up to " + span.Words(class.UpTo)
		if i > 0 {
			label = "more than " + span.Words(classes[i-1].UpTo) + ", " + label
		}
		c.Columns = append(c.Columns, chart.Column{Label: label, From: float64(i) * wide, To: float64(i+1) * wide, Values: []int64{class.Rows}})
		if every := (len(classes) + 5) / 6; (len(classes)-1-i)%every == 0 {
			c.Ticks = append(c.Ticks, chart.Tick{X: chart.Number(float64(i+1) * wide), Text: span.Words(class.UpTo), Anchor: "end"})
		}
	}
	for _, m := range []struct {
		name string
		at   time.Duration
		tone string
		mark string
	}{{"median", l.Median, "ink", chart.Disc}, {"99%", l.P99, "ink", chart.Diamond}, {"latest", l.Max, "gap", chart.Triangle}, {"lookback", s.Lookback, "lookback", chart.Plus}} {
		if m.at > 0 || m.name != "lookback" {
			c.Lanes = append(c.Lanes, chart.Lane{Name: m.name, Tone: m.tone, Glyph: m.mark, Rules: true, At: []float64{place(classes, m.at)}})
		}
	}
	return c
}

// place is where a lateness lies among the classes, in percent of the width.
func place(classes []status.LateClass, at time.Duration) float64 {
	wide, low := 100/float64(max(1, len(classes))), time.Duration(0)
	for i, class := range classes {
		if at <= class.UpTo {
			return wide * (float64(i) + float64(at-low)/float64(max(1, class.UpTo-low)))
		}
		low = class.UpTo
	}
	return 100
}

func lateWords(s *status.Stream) string {
	l := s.Lateness
	text := fmt.Sprintf("%s came late in the last 90 days: half of them by up to %s, 99%% by up to %s, the latest by %s.", count(l.Rows, "row"), span.Words(l.Median), span.Words(l.P99), span.Words(l.Max))
	switch {
	case s.Lookback <= 0:
		return text
	case l.Max > s.Lookback:
		return text + fmt.Sprintf(" That is more than the lookback of %s.", span.Words(s.Lookback))
	}
	return text + fmt.Sprintf(" The lookback is %s.", span.Words(s.Lookback))
}
