package page

import (
	"fmt"

	"github.com/flashback-sync/flashback-sync/internal/chart"
)

// timed is what a chart over time is called, and of what it is.
type timed struct {
	id, title string // the title goes on with the unit: "Rows per" day
	noun      string
	series    []chart.Series
	linear    bool
}

func overTime(frame chart.Frame, samples []chart.Sample, of timed) *chart.Columns {
	c := &chart.Columns{
		Words: chart.Words{ID: of.id, Title: of.title + " " + frame.Unit}, Unit: of.noun + "s", What: title(frame.Unit),
		Series: of.series, Columns: frame.Columns(samples, len(of.series)), Ticks: chart.Ticks(frame.From, frame.To), Linear: of.linear,
	}
	c.Summary = summary(c, frame, of.noun)
	return c
}

// summary says in a sentence or two what the chart shows.
func summary(c *chart.Columns, frame chart.Frame, noun string) string {
	var total, most int64
	empty, fullest := int64(0), ""
	for _, column := range c.Columns {
		n := column.Total()
		if n == 0 {
			empty++
		}
		total = chart.Sum(total, n)
		if n > most {
			most, fullest = n, column.Label
		}
	}
	if most == 0 {
		return fmt.Sprintf("%s: none.", chart.Period(frame.From, frame.To))
	}
	text := fmt.Sprintf("%s: %s. The fullest %s is %s with %s", chart.Period(frame.From, frame.To), count(total, noun), frame.Unit, fullest, comma(most))
	switch {
	case empty == 1:
		text += "; 1 " + frame.Unit + " has none"
	case empty > 1:
		text += "; " + count(empty, frame.Unit) + " have none"
	}
	return text + "."
}
