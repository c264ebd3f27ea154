package page

import (
	"math"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// overview is what the rows say.
type overview struct {
	Period                   string
	Figures                  []figure
	Violations, Alerts       *chart.Columns
	Blocked, Tokens          *chart.Columns
	Policies, Models, People *chart.Ranking
}

func (v *view) overview(o *status.Overview) *overview {
	frame := chart.NewFrame(o.From, o.To, mostNarrow)
	wide := chart.NewFrame(o.From, o.To, mostWide)
	sums := total(o.Days)
	out := &overview{Period: chart.Period(o.From, o.To), Figures: facts(sums)}
	if sums.Violations() > 0 {
		out.Violations = overTime(wide, samples(o.Days, func(d status.OverviewDay) []int64 {
			return []int64{d.High, d.Medium, d.Low, d.Unrated}
		}), timed{id: "violations", title: "Violations by severity, per", noun: "violation", linear: true, series: []chart.Series{
			{Name: "high", Tone: "high"}, {Name: "medium", Tone: "medium"}, {Name: "low", Tone: "low"}, {Name: "unrated", Tone: "unrated"},
		}})
		out.Blocked = blocked(frame, o.Days, sums)
	}
	if sums.Alerts > 0 {
		out.Alerts = overTime(frame, samples(o.Days, func(d status.OverviewDay) []int64 { return []int64{d.Alerts} }),
			timed{id: "alerts", title: "Alerts per", noun: "alert", series: []chart.Series{{Name: "alerts", Tone: "alerts"}}})
	}
	if chart.Sum(sums.TokensIn, sums.TokensOut) > 0 {
		out.Tokens = overTime(frame, samples(o.Days, func(d status.OverviewDay) []int64 { return []int64{d.TokensIn, d.TokensOut} }),
			timed{id: "tokens", title: "Tokens that the policies' own checks use, per", noun: "token", linear: true, series: []chart.Series{
				{Name: "read", Tone: "in"}, {Name: "written", Tone: "out"},
			}})
	}
	out.Policies = ranking("policies", "Policies with the most events", "Policy", o.Policies)
	out.Models = ranking("models", "Models with the most events", "Model", o.Models)
	out.People = ranking("people", "People with the most events", "Person", o.People)
	return out
}

func samples(days []status.OverviewDay, values func(status.OverviewDay) []int64) (all []chart.Sample) {
	for _, d := range days {
		all = append(all, chart.Sample{Date: d.Date, Values: values(d)})
	}
	return all
}

func total(days []status.OverviewDay) (sum status.OverviewDay) {
	for _, d := range days {
		for _, of := range []struct{ to, n *int64 }{
			{&sum.Alerts, &d.Alerts},
			{&sum.High, &d.High},
			{&sum.Medium, &d.Medium},
			{&sum.Low, &d.Low},
			{&sum.Unrated, &d.Unrated},
			{&sum.Blocked, &d.Blocked},
			{&sum.TokensIn, &d.TokensIn},
			{&sum.TokensOut, &d.TokensOut},
		} {
			*of.to = chart.Sum(*of.to, *of.n)
		}
	}
	return sum
}

func facts(sums status.OverviewDay) (all []figure) {
	all = append(all, figure{Name: "Violations", Value: large(sums.Violations())}, figure{Name: "of high severity", Value: large(sums.High)})
	if share := percent(sums.Blocked, sums.Violations()); share != "" {
		all = append(all, figure{Name: "blocked, of the violations", Value: share})
	}
	all = append(all, figure{Name: "Alerts", Value: large(sums.Alerts)})
	if chart.Sum(sums.TokensIn, sums.TokensOut) > 0 {
		all = append(all, figure{
			Name: "Tokens of policy checks", Value: large(chart.Sum(sums.TokensIn, sums.TokensOut)),
			Note: large(sums.TokensIn) + " read, " + large(sums.TokensOut) + " written",
		})
	}
	return all
}

// blocked is a chart of shares: those of a week are of its sums.
func blocked(frame chart.Frame, days []status.OverviewDay, sums status.OverviewDay) *chart.Columns {
	c := overTime(frame, samples(days, func(d status.OverviewDay) []int64 { return []int64{d.Blocked, d.Violations()} }),
		timed{id: "blocked", title: "Share of violations that were blocked, per", noun: "violation", linear: true, series: make([]chart.Series, 2)})
	c.Of, c.Unit, c.Series = chart.Shares, "share", []chart.Series{{Name: "blocked", Tone: "blocked"}}
	for i := range c.Columns {
		column := &c.Columns[i]
		part, whole := column.Values[0], column.Values[1]
		column.Values = []int64{0}
		if whole > 0 {
			column.Values[0] = int64(math.Round(float64(part) / float64(whole) * 1e4))
			column.Note = comma(part) + " of " + comma(whole)
		}
	}
	c.Summary = chart.Period(frame.From, frame.To) + ": " + comma(sums.Blocked) + " of " + count(sums.Violations(), "violation") + " were blocked, " + percent(sums.Blocked, sums.Violations()) + "."
	return c
}

// ranking is nil without names.
func ranking(id, name, what string, ranked []status.Ranked) *chart.Ranking {
	if len(ranked) == 0 {
		return nil
	}
	r := &chart.Ranking{
		Words: chart.Words{ID: id, Title: name}, What: what, Also: []string{"blocked"},
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
