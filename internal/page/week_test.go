package page_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// aWeek is the last complete week of the fixtures: 2026-11-09 to 2026-11-15.
func aWeek() *status.Week {
	first := time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	w := &status.Week{
		First: first, Last: first.AddDate(0, 0, 6), Since: first.AddDate(0, 0, -350),
		This:   status.WeekFigures{Alerts: 1420, Violations: 1071, Blocked: 440, High: 214, Users: 60},
		Before: status.WeekFigures{Alerts: 1400, Violations: 1016, Blocked: 440, High: 231, Users: 0},
	}
	for i := range 40 { // today is the last one
		d := status.WeekDay{Date: first.AddDate(0, 0, i-28), Complete: i < 39, Alerts: 200, High: 30, Medium: 50, Low: 60, Unrated: 12}
		w.Days = append(w.Days, d)
	}
	one := func(name string) status.WeekNames {
		return status.WeekNames{Total: 1, Rows: []status.Ranked{{Name: name, Count: 8, Violations: 1, Alerts: 7}}}
	}
	w.New.Policies, w.New.Models, w.New.Hosts, w.New.Users = one("Export control"), one("gpt-6"), one("api.example.com"), status.WeekNames{Total: 7}
	w.Worse.Total = 9
	for _, name := range []string{"Secrets and keys", "", "Legal advice", "Toxic language", "Prompt injection", "Unapproved models"} {
		w.Worse.Rows = append(w.Worse.Rows, status.WeekChange{Kind: "policy", Name: name, Before: 38, This: 51})
	}
	w.Silent.Total, w.Silent.Rows = 1, []status.WeekChange{{Kind: "repository", Name: "Call transcripts", Before: 42}}
	return w
}

// reported is what a reader sees of a report with the week.
func reported(t *testing.T, change func(*status.Week)) (seen string, root *html.Node) {
	t.Helper()
	s := oneDay()
	change(s.Holdings.Week)
	root = parsed(t, written(t, s, page.File))
	return text(root), root
}

func wants(t *testing.T, seen string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(seen, want) {
			t.Errorf("not said: %q in %.1500s", want, seen)
		}
	}
}

func TestTheReportBeginsWithTheWeek(t *testing.T) {
	seen, _ := reported(t, func(*status.Week) {})
	wants(t, seen,
		"report 1,071 violations in the week to 15 November, 55 more than in the week before", "The last complete week, 2026-11-09 to 2026-11-15",
		"This week: complete The week before: complete", "Violations 1,071 1,016 the week before: 55 more, +5.4%", "of high severity 214 231 the week before: 17 fewer, −7.4%",
		"blocked, of the violations 440 as many as the week before", "Users concerned 60 0 the week before: 60 more",
		"Policies Export control 1 violation, 7 alerts", "Models gpt-6", "Hosts api.example.com", "Users: 7", "Since 2025-11-24: complete",
		"Secrets and keys from 38 to 51 no name from 38 to 51", "and 4 more Both weeks: complete", "Call transcripts repository, 42 events before All five weeks: complete",
		"1 day not complete, drawn pale.", "2026-11-20: 30 high, 50 medium, 60 low, 12 unrated; 152 in all; not complete", "unrated low medium high not complete")
	week, operations := strings.Index(seen, "The last complete week"), strings.Index(seen, "Operations 1 thing to look at. Last complete sync")
	if week < 0 || operations < week || strings.Index(seen, "Streams Alerts") < operations {
		t.Error("the week is not before the operations")
	}
	live := text(parsed(t, written(t, oneDay(), page.Live)))
	if strings.Index(live, "The last complete week") < strings.Index(live, "Streams Alerts") {
		t.Error("the live page does not begin with the operations")
	}
}

func TestAWeekIsNotComparedIfItIsNotComplete(t *testing.T) {
	seen, _ := reported(t, func(w *status.Week) {
		for i := range 5 {
			w.Before.Days = append(w.Before.Days, w.First.AddDate(0, 0, i-7))
		}
	})
	wants(t, seen, "report 1,071 violations in the week to 15 November Made", "Violations 1,071 1,016 the week before, not comparable",
		"This week: complete The week before: 5 days not complete, the last one 2026-11-06")
}

func TestWithoutACompleteWeekTheReportShowsWhatThereIs(t *testing.T) {
	seen, _ := reported(t, func(w *status.Week) {
		w.This.Days = []time.Time{w.First, w.First.AddDate(0, 0, 2)}
		w.Since = w.First
		w.Worse, w.Silent = status.WeekChanges{}, status.WeekChanges{}
	})
	wants(t, seen, "1,071 violations in the week to 15 November, which is not complete Made", "No week is complete yet: what there is of 2026-11-09 to 2026-11-15",
		"This week: not complete: 2026-11-09 and 2026-11-11", "Nothing is stored from before this week, so nothing can be called new.",
		"No policy has more violations than in the week before.", "Every policy and repository with events in the four weeks before has some in this one.")
}

func TestHostileNamesOfTheWeekAreCutAndEscaped(t *testing.T) {
	seen, root := reported(t, func(w *status.Week) {
		w.Worse.Rows[0].Name, w.Silent.Rows[0].Name = hostile, strings.Repeat("W", 300)
	})
	wants(t, seen, `<script>alert("1")</script>'"><img src=x onerror=alert(2)>\u202e\u200f\x00\xff from 38 to 51`, strings.Repeat("W", 80)+"… repository")
	if strings.Contains(seen, strings.Repeat("W", 81)) {
		t.Error("a long name is not cut")
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
			t.Errorf("a name makes a %s", n.Data)
		}
	}
}
