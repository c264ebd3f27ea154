package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// mostDays bounds the days that are named as not complete.
const mostDays = 3

// week is the last complete week beside the one before it.
type week struct {
	Headline, Title string
	Proofs          []proof
	Figures         []figure
	Chart           *chart.Columns
	Lists           []list
}

// proof says whether the days of a figure or a list are complete.
type proof struct{ Of, Tone, Words string }

func newWeek(w *status.Week) *week {
	period := chart.Period(w.First, w.Last.AddDate(0, 0, 1))
	out := &week{
		Title:   "The last complete week, " + period,
		Proofs:  []proof{proofOf("This week", w.This.Incomplete), proofOf("The week before", w.Before.Incomplete)},
		Figures: weekFigures(w), Chart: weekChart(w), Lists: []list{newNames(w), gotWorse(w), fellSilent(w)},
	}
	out.Headline = chart.Count(w.This.Violations, "violation") + " in the week to " + w.Last.Format("2\u00a0January")
	if !w.This.Complete() {
		out.Title = "No week is complete yet: what there is of " + period
		out.Headline += ", which is not complete"
	}
	if words := change(w.Before.Violations, w.This.Violations); bothComplete(w) && words != "" {
		out.Headline += ", " + words + " than in the week before"
	}
	return out
}

// bothComplete says that the figures of the weeks can be compared.
func bothComplete(w *status.Week) bool { return w.This.Complete() && w.Before.Complete() }

func weekFigures(w *status.Week) (all []figure) {
	for _, f := range []struct {
		name         string
		this, before int64
	}{
		{"Alerts", w.This.Alerts, w.Before.Alerts},
		{"Violations", w.This.Violations, w.Before.Violations},
		{"blocked, of the violations", w.This.Blocked, w.Before.Blocked},
		{"of high severity", w.This.High, w.Before.High},
		{"Users concerned", w.This.Users, w.Before.Users},
	} {
		note := large(f.before) + " the week before"
		switch words := change(f.before, f.this); {
		case !bothComplete(w):
			note += ", not comparable"
		case words == "":
			note = "as many as the week before"
		default:
			note += ": " + words + percentMore(f.before, f.this)
		}
		all = append(all, figure{Name: f.name, Value: large(f.this), Note: note})
	}
	return all
}

// change says in words how a number changed, "" if it did not.
func change(before, this int64) string {
	switch {
	case this > before:
		return large(this-before) + " more"
	case this < before:
		return large(before-this) + " fewer"
	}
	return ""
}

// percentMore follows a change, "" after none.
func percentMore(before, this int64) string {
	if before <= 0 {
		return ""
	}
	return strings.Replace(fmt.Sprintf(", %+.1f%%", 100*float64(this-before)/float64(before)), "-", "−", 1)
}

// proofOf names the days that are not complete, if they are few.
func proofOf(of string, days status.Incomplete) proof {
	switch n := len(days.Days); {
	case n == 0:
		return proof{of, "ok", "complete"}
	case n > mostDays:
		return proof{of, "warn", fmt.Sprintf("%s not complete, the last one %s", chart.Count(int64(n), "day"), days.Days[n-1].Format(time.DateOnly))}
	}
	var names []string
	for _, day := range days.Days {
		names = append(names, day.Format(time.DateOnly))
	}
	return proof{of, "warn", "not complete: " + english.WordSeries(names, "and")}
}

// weekChart has the violations of the weeks around the week, and marks its days.
func weekChart(w *status.Week) *chart.Columns {
	frame := chart.NewFrame(w.Days[0].Date, w.Days[len(w.Days)-1].Date.AddDate(0, 0, 1))
	var samples []chart.Sample
	incomplete := 0
	for _, d := range w.Days {
		samples = append(samples, chart.Sample{Date: d.Date, Values: []int64{d.High, d.Medium, d.Low, d.Unrated}})
	}
	c := overTime(frame, samples, "week-days", topics[0].title+", per", "violation", topics[0].series)
	lane := chart.Lane{Name: "the week", Tone: "note", Glyph: chart.Disc}
	for i, d := range w.Days { // a column is a day: there are at most six weeks
		column := &c.Columns[i]
		if !d.Complete {
			column.Pale = "not complete"
			incomplete++
		}
		if !d.Date.Before(w.First) && !d.Date.After(w.Last) {
			lane.At = append(lane.At, (column.From+column.To)/2)
		}
	}
	c.Lanes = []chart.Lane{lane}
	if incomplete > 0 {
		c.Summary += fmt.Sprintf(" %s not complete, drawn pale.", chart.Count(int64(incomplete), "day"))
	}
	return c
}

const (
	mostListed = 5  // names of a group
	longName   = 80 // characters; a longer name is cut
)

// list is what is new, what got worse, what fell silent.
type list struct {
	ID, Title string
	Proof     proof
	Groups    []group
	None      string // is shown in place of no group
}

// group is a part of a list.
type group struct {
	Title string
	Rows  []listed
	More  string
}

type listed struct{ Name, Note string }

// newNames lists what no stored event before the week names.
func newNames(w *status.Week) list {
	l := list{
		ID: "week-new", Title: "New", None: "No policy, model, host or user occurs for the first time.",
		Proof: proofOf("Since "+w.Since.Format(time.DateOnly), w.New.Incomplete),
	}
	if !w.Since.Before(w.First) {
		l.None = "Nothing is stored from before this week, so nothing can be called new."
		return l
	}
	for _, of := range []struct {
		title string
		names status.WeekNames
	}{{"Policies", w.New.Policies}, {"Models", w.New.Models}, {"Hosts", w.New.Hosts}, {"Users", w.New.Users}} {
		g := group{Title: of.title}
		for _, r := range of.names.Rows {
			g.Rows = append(g.Rows, listed{name(r.Name), chart.Count(r.Violations, "violation") + ", " + chart.Count(r.Alerts, "alert")})
		}
		l.add(g, of.names.Total)
	}
	return l
}

// gotWorse lists the policies with more violations than in the week before.
func gotWorse(w *status.Week) list {
	l := list{ID: "week-worse", Title: "Got worse", None: "No policy has more violations than in the week before.", Proof: proofOf("Both weeks", w.Worse.Incomplete)}
	g := group{Title: "Violations by policy"}
	for _, r := range w.Worse.Rows {
		g.Rows = append(g.Rows, listed{name(r.Name), fmt.Sprintf("from %s to %s", large(r.Before), large(r.This))})
	}
	l.add(g, w.Worse.Total)
	return l
}

// fellSilent lists the policies and repositories without events in the week.
func fellSilent(w *status.Week) list {
	l := list{
		ID: "week-silent", Title: "Fell silent", None: "Every policy and repository with events in the four weeks before has some in this one.",
		Proof: proofOf("All five weeks", w.Silent.Incomplete),
	}
	g := group{Title: "No events after four weeks with some"}
	for _, r := range w.Silent.Rows {
		g.Rows = append(g.Rows, listed{name(r.Name), r.Kind + ", " + chart.Count(r.Before, "event") + " before"})
	}
	l.add(g, w.Silent.Total)
	return l
}

// add cuts a group that is long, and leaves out one that is empty.
func (l *list) add(g group, total int64) {
	if total == 0 {
		return
	}
	g.Rows = g.Rows[:min(len(g.Rows), mostListed)]
	switch rest := total - int64(len(g.Rows)); {
	case len(g.Rows) == 0:
		g.More = large(total)
	case rest > 0:
		g.More = "and " + large(rest) + " more"
	}
	l.Groups = append(l.Groups, g)
}

// name is a stranger's, cut where it is too long for a list.
func name(s string) string {
	if strings.TrimSpace(s) == "" {
		return "no name"
	}
	if runes := []rune(s); len(runes) > longName {
		return string(runes[:longName]) + "…"
	}
	return s
}
