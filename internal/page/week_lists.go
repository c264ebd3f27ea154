package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

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
