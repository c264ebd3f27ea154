package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// monday begins the last complete week of these tests.
var monday = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

const sinceFebruary = "streams: {alerts: {start: 2026-02-01}, violations: {start: 2026-02-01}}\n"

// history adds rows to the weeks before the simulator's four days: the week has a policy
// and a host that are new, and lacks a repository.
func history(b *bench, policy string) {
	for i := range 200 {
		stream := []apisim.Stream{apisim.Alerts, apisim.Violations}[i%2]
		row := b.sim.NewRow(stream, monday.AddDate(0, 0, -24).Add(time.Duration(i)*4*time.Hour+time.Minute), i)
		switch {
		case row.Timestamp.Before(monday) && i%9 == 0:
			row.RepoID, row.RepoName = "silent", "Gone"
		case !row.Timestamp.Before(monday) && i%5 == 0:
			row.PolicyID, row.PolicyName, row.Host = "new", policy, new("new.example")
		}
		b.sim.Add(stream, row)
	}
}

// counted are the figures of the simulator's rows from one day to before another.
func counted(b *bench, from, to time.Time) (f status.WeekFigures) {
	users := map[string]bool{}
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		for _, row := range b.sim.Rows(stream) {
			switch {
			case row.Timestamp.Before(from) || !row.Timestamp.Before(to):
				continue
			case stream == apisim.Alerts:
				f.Alerts++
			default:
				f.Violations++
			}
			users[row.UserID] = true
			if row.Severity != nil && *row.Severity == "HIGH" {
				f.High++
			}
			if row.Block != nil && *row.Block {
				f.Blocked++
			}
		}
	}
	f.Users, f.Days = int64(len(users)), []time.Time{}
	return f
}

// worse are the policies whose violations rose, by the simulator's rows.
func worse(b *bench) (all []status.WeekChange) {
	of := map[string]*status.WeekChange{}
	for _, row := range b.sim.Rows(apisim.Violations) {
		if row.Timestamp.Before(monday.AddDate(0, 0, -7)) || !row.Timestamp.Before(monday.AddDate(0, 0, 7)) {
			continue
		}
		if of[row.PolicyName] == nil {
			of[row.PolicyName] = &status.WeekChange{Kind: "policy", Name: row.PolicyName}
		}
		if row.Timestamp.Before(monday) {
			of[row.PolicyName].Before++
		} else {
			of[row.PolicyName].This++
		}
	}
	for _, c := range of {
		if c.This > c.Before {
			all = append(all, *c)
		}
	}
	slices.SortFunc(all, func(a, b status.WeekChange) int {
		return cmp.Or(cmp.Compare(b.This-b.Before, a.This-a.Before), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// firstSeen are the names that the week's rows have and no row before it.
func firstSeen(b *bench, name func(apisim.Row) string) []string {
	first := map[string]time.Time{}
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		for _, row := range b.sim.Rows(stream) {
			if at, known := first[name(row)]; name(row) != "" && (!known || row.Timestamp.Before(at)) {
				first[name(row)] = row.Timestamp
			}
		}
	}
	maps.DeleteFunc(first, func(_ string, at time.Time) bool { return at.Before(monday) || !at.Before(monday.AddDate(0, 0, 7)) })
	return slices.Sorted(maps.Keys(first))
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// reportedWeek is the week as 'report --json' prints it.
func reportedWeek(b *bench) *status.Week {
	b.t.Helper()
	var s struct {
		Holdings struct {
			Week *status.Week `json:"week"`
		} `json:"holdings"`
	}
	out := b.must("report", "--json").stdout
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Holdings.Week == nil {
		b.t.Fatalf("%v: no week in %.2000s", err, out)
	}
	return s.Holdings.Week
}

func TestTheReportedWeekIsWhatTheSourceHas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	policy := "<script>alert(1)</script>\x1b[31m\u202e" + strings.Repeat("W", 300)
	history(b, policy)
	b.configure(sinceFebruary)
	b.first("")
	w := reportedWeek(b)
	if !w.First.Equal(monday) || !w.Last.Equal(monday.AddDate(0, 0, 6)) || !w.Since.Equal(monday.AddDate(0, 0, -24)) {
		t.Errorf("the week is %s to %s, since %s", w.First, w.Last, w.Since)
	}
	if d := diff.Diff(counted(b, monday, monday.AddDate(0, 0, 7)), w.This); d != "" {
		t.Errorf("the week (-simulator +report)\n%s", d)
	}
	if d := diff.Diff(counted(b, monday.AddDate(0, 0, -7), monday), w.Before); d != "" {
		t.Errorf("the week before (-simulator +report)\n%s", d)
	}
	rose := worse(b)
	if d := diff.Diff(rose[:10], w.Worse.Rows); d != "" || w.Worse.Total != int64(len(rose)) {
		t.Errorf("%d got worse, want %d (-simulator +report)\n%s", w.Worse.Total, len(rose), d)
	}
	for _, c := range []struct {
		got  status.WeekNames
		name func(apisim.Row) string
	}{
		{w.New.Policies, func(r apisim.Row) string { return r.PolicyName }},
		{w.New.Hosts, func(r apisim.Row) string { return value(r.Host) }},
		{w.New.Models, func(r apisim.Row) string { return value(r.LLMModel) }},
	} {
		var got []string
		for _, r := range c.got.Rows {
			got = append(got, r.Name)
		}
		if d := diff.Diff(firstSeen(b, c.name), slices.Sorted(slices.Values(got))); d != "" {
			t.Errorf("new (-simulator +report)\n%s", d)
		}
	}
	if users := firstSeen(b, func(r apisim.Row) string { return r.UserID }); w.New.Users.Total != int64(len(users)) || w.New.Users.Rows != nil {
		t.Errorf("%d new users, want %d, and no names: %+v", w.New.Users.Total, len(users), w.New.Users.Rows)
	}
	if !slices.ContainsFunc(w.Silent.Rows, func(c status.WeekChange) bool { return c.Kind == "repository" && c.Name == "Gone" && c.Before > 0 }) {
		t.Errorf("silent are %+v", w.Silent)
	}
	last := w.Days[len(w.Days)-1]
	if open := monday.AddDate(0, 0, 9); len(w.Days) != 42 || w.Days[37].Complete || !w.Days[37].Date.Equal(open) || !w.Days[36].Complete || last.Complete {
		t.Errorf("days: %+v", w.Days[36:])
	}
	out := filepath.Join(b.dir, "report.html")
	b.must("report", "--out", out)
	page, err := os.ReadFile(out)
	if err != nil || strings.Contains(string(page), "<script") || strings.ContainsAny(string(page), "\x1b\u202e") || !strings.Contains(string(page), `&lt;script&gt;alert(1)&lt;/script&gt;\x1b[31m`) {
		t.Errorf("a name is not escaped, or not shown: %v", err)
	}
}

func TestWithoutACompleteWeekTheReportSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.configure(strings.ReplaceAll(sinceFebruary, "2026-02-01", "2026-03-17")) // a Tuesday
	b.first("")
	w := reportedWeek(b)
	first := monday.AddDate(0, 0, 7)
	if !w.First.Equal(first) || w.This.Complete() || slices.Contains(w.This.Days, first.AddDate(0, 0, 1)) || !slices.Contains(w.This.Days, first.AddDate(0, 0, 2)) {
		t.Errorf("the week is %s, not complete are %s", w.First, w.This.Days)
	}
	want := counted(b, first.AddDate(0, 0, 1), first.AddDate(0, 0, 7))
	if w.This.Alerts != want.Alerts || w.This.Users != want.Users {
		t.Errorf("got %+v, want %+v", w.This, want)
	}
	out := filepath.Join(b.dir, "report.html")
	b.must("report", "--out", out)
	if page, err := os.ReadFile(out); err != nil || !strings.Contains(string(page), "No week is complete yet: what there is of 2026-03-16 to 2026-03-22") {
		t.Errorf("the report does not say that no week is complete: %v", err)
	}
}
