package audit

import (
	"math"

	"github.com/flashback-sync/flashback-sync/internal/chart"
)

// scaleOf fits a scale to what is stored; what the source counts is drawn above it.
func scaleOf(all []*cell) chart.Scale {
	var stored, source []int64
	for _, c := range all {
		stored, source = append(stored, c.Stored), append(source, c.Source)
	}
	return chart.ScaleOf(chart.Counts, plotHeight, stored, source...)
}

// lines are at round numbers of rows.
func lines(s chart.Scale) (all []mark) {
	for _, l := range s.Lines() {
		all = append(all, mark{Text: l.Text, Y: baseline - int(math.Round(l.Above))})
	}
	return all
}
