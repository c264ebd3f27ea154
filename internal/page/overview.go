package page

import (
	"fmt"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// overview is what the rows of the last days show.
type overview struct {
	Period   string
	Figures  []figure
	Charts   []*chart.Columns
	Rankings []*chart.Ranking
}

// topic is a chart of something that is counted by day.
type topic struct {
	title  string // its first word is also the chart's id
	noun   string
	series []chart.Series
	counts func(*status.OverviewDay) []int64 // one for each series
}

// topics are in the order in which they are shown; one without any count is left out.
var topics = []topic{
	{
		"Violations by severity", "violation",
		[]chart.Series{{Name: "high", Tone: "high"}, {Name: "medium", Tone: "medium"}, {Name: "low", Tone: "low"}, {Name: "unrated", Tone: "unrated"}},
		func(d *status.OverviewDay) []int64 { return []int64{d.High, d.Medium, d.Low, d.Unrated} },
	},
	{
		"Alerts", "alert",
		[]chart.Series{{Name: "alerts", Tone: "alerts"}},
		func(d *status.OverviewDay) []int64 { return []int64{d.Alerts} },
	},
	{
		"Blocked violations", "violation",
		[]chart.Series{{Name: "blocked", Tone: "blocked"}},
		func(d *status.OverviewDay) []int64 { return []int64{d.Blocked} },
	},
	{
		"Tokens that the policies' own checks use", "token",
		[]chart.Series{{Name: "read", Tone: "in"}, {Name: "written", Tone: "out"}},
		func(d *status.OverviewDay) []int64 { return []int64{d.TokensIn, d.TokensOut} },
	},
}

// Overview is nil without rows.
func (v *view) Overview() *overview {
	if v.Holdings == nil || v.Holdings.Overview == nil {
		return nil
	}
	o := v.Holdings.Overview
	frame := chart.NewFrame(o.From, o.To)
	out := &overview{Period: chart.Period(o.From, o.To)}
	var sums [][]int64 // of each topic, by series
	for _, t := range topics {
		var samples []chart.Sample
		for i := range o.Days {
			samples = append(samples, chart.Sample{Date: o.Days[i].Date, Values: t.counts(&o.Days[i])})
		}
		id, _, _ := strings.Cut(strings.ToLower(t.title), " ")
		c := overTime(frame, samples, id, t.title+", per", t.noun, t.series)
		sums = append(sums, totals(c))
		if chart.Sum(totals(c)...) > 0 {
			out.Charts = append(out.Charts, c)
		}
	}
	violations, blocked := chart.Sum(sums[0]...), sums[2][0]
	out.Figures = []figure{
		{Name: "Violations", Value: large(violations)},
		{Name: "of high severity", Value: large(sums[0][0])},
		{Name: "blocked, of the violations", Value: percent(blocked, violations), Note: large(blocked)},
		{Name: "Alerts", Value: large(sums[1][0])},
		{Name: "Tokens of policy checks", Value: large(chart.Sum(sums[3]...))},
	}
	for _, r := range []struct {
		id, what string
		ranked   []status.Ranked
	}{{"policies", "Policies", o.Policies}, {"models", "Models", o.Models}, {"people", "People", o.People}} {
		if len(r.ranked) > 0 {
			out.Rankings = append(out.Rankings, ranking(r.id, r.what, r.ranked))
		}
	}
	return out
}

func ranking(id, what string, ranked []status.Ranked) *chart.Ranking {
	r := &chart.Ranking{
		Words: chart.Words{ID: id, Title: what + " with the most events"}, What: what, Also: []string{"blocked"},
		Series: []chart.Series{{Name: "violations", Tone: "high"}, {Name: "alerts", Tone: "alerts"}},
	}
	for _, of := range ranked {
		row := chart.Ranked{Name: of.Name, Values: []int64{of.Violations, of.Alerts, of.Blocked}}
		switch {
		case of.Other:
			row.Name, row.Quiet, row.Rest = "all others", true, true
		case of.Name == "":
			row.Name, row.Quiet = "no name", true
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

// overTime is a chart over time; its title ends with the unit: "Rows per" day.
func overTime(frame chart.Frame, samples []chart.Sample, id, title, noun string, series []chart.Series) *chart.Columns {
	c := &chart.Columns{
		Words: chart.Words{ID: id, Title: title + " " + frame.Unit}, Unit: noun + "s", What: capital(frame.Unit),
		Series: series, Columns: frame.Columns(samples, len(series)), Ticks: chart.Ticks(frame.From, frame.To),
	}
	c.Summary = summary(c, frame, noun)
	return c
}

// totals are those of each series.
func totals(c *chart.Columns) []int64 {
	sums := make([]int64, len(c.Series))
	for _, column := range c.Columns {
		for i, n := range column.Values {
			sums[i] = chart.Sum(sums[i], n)
		}
	}
	return sums
}

// summary says in a sentence or two what the chart shows.
func summary(c *chart.Columns, frame chart.Frame, noun string) string {
	most, fullest, empty := int64(0), "", int64(0)
	for _, column := range c.Columns {
		n := column.Total()
		if n == 0 {
			empty++
		}
		if n > most {
			most, fullest = n, column.Label
		}
	}
	if most == 0 {
		return fmt.Sprintf("%s: none.", chart.Period(frame.From, frame.To))
	}
	text := fmt.Sprintf("%s: %s. The fullest %s is %s with %s", chart.Period(frame.From, frame.To), chart.Count(chart.Sum(totals(c)...), noun), frame.Unit, fullest, comma(most))
	if empty > 0 {
		text += fmt.Sprintf("; %s without any", chart.Count(empty, frame.Unit))
	}
	return text + "."
}
