package apisim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Any sequence of additions, deletions and updates leaves what a plain list would.
func TestChangesKeepRowsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := New(Options{Seed: 5, Now: noon, Days: 1, AlertsPerDay: 30})
		want := map[string]time.Time{}
		for _, row := range s.Alerts() {
			want[row.ID] = row.Timestamp
		}
		moment := func() time.Time {
			return noon.Add(time.Duration(rapid.IntRange(-5, 5).Draw(rt, "second")) * time.Second)
		}
		for range rapid.IntRange(1, 20).Draw(rt, "changes") {
			rows := s.Alerts()
			switch rapid.IntRange(0, 2).Draw(rt, "change") {
			case 0:
				batch := []Row{s.NewRow(Alerts, moment(), 0), s.NewRow(Alerts, moment(), 1)}
				for i, id := range s.AddAlerts(batch...) {
					want[id] = batch[i].Timestamp
				}
			case 1:
				id := rapid.SampledFrom(rows).Draw(rt, "row").ID
				delete(want, id)
				if s.Delete(Alerts, id) != 1 {
					rt.Fatal("not deleted")
				}
			case 2:
				id, at := rapid.SampledFrom(rows).Draw(rt, "row").ID, moment()
				want[id] = at
				if !s.Update(Alerts, id, func(r *Row) { r.Timestamp, r.Message = at, "changed" }) {
					rt.Fatal("not updated")
				}
			}
			got, last := map[string]time.Time{}, time.Time{}
			for _, row := range s.Alerts() {
				if row.Timestamp.Before(last) {
					rt.Fatal("out of order")
				}
				got[row.ID], last = row.Timestamp, row.Timestamp
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("(-want +got):\n%s", diff)
			}
		}
	})
}

// A row that was spelled out for a change is sent exactly as before otherwise.
func TestUpdateChangesNothingElse(t *testing.T) {
	s := New(small())
	for _, stream := range []Stream{Alerts, Violations} {
		target := "/policy/" + string(stream) + "?take=100"
		before := text(t, request(t, s, target))
		for _, row := range s.Rows(stream) {
			s.Update(stream, row.ID, func(*Row) {})
		}
		if after := text(t, request(t, s, target)); after != before {
			t.Errorf("%s changed by being touched:\n%.500s\n%.500s", stream, before, after)
		}
	}
	if s.Update(Alerts, "none", func(*Row) {}) || s.Delete(Alerts, "none") != 0 {
		t.Error("a row that is not there was changed")
	}
}

func TestRawRecordsAreSentAsTheyAre(t *testing.T) {
	s := New(Options{Now: noon})
	raws := []string{
		`{"timestamp":"2026-03-18T12:00:00.000Z"}`,
		`{"id":"a","policyId":"p","new":{"deep":[1,2]},"timestamp":"soon"}`,
		"{\"id\":7,\"message\":\"\xff\\ud800\",\"id\":8}",
		`null`,
	}
	for i, raw := range raws {
		s.AddRaw(Alerts, noon.Add(-time.Duration(i)*time.Second), raw)
	}
	want := `{"success":true,"alerts":[` + strings.Join(raws, ",") + `],"total":4,"skip":0,"take":50}`
	if got := text(t, request(t, s, "/policy/alerts")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if p := get[page](t, s, "/policy/p/alerts", 200); p.Total != 1 {
		t.Errorf("by policy: total %d", p.Total)
	}
	if s.Delete(Alerts, "a") != 1 || s.Len(Alerts) != 3 {
		t.Errorf("%d rows after a deletion", s.Len(Alerts))
	}
}

func TestSameIDTwice(t *testing.T) {
	s := New(Options{Now: noon})
	row := s.NewRow(Violations, noon, 0)
	row.ID = "twice"
	s.Add(Violations, row, row)
	if p := get[page](t, s, "/policy/violations", 200); !slices.Equal(p.ids(), []string{"twice", "twice"}) {
		t.Errorf("ids %v", p.ids())
	}
	if n := s.Delete(Violations, "twice"); n != 2 {
		t.Errorf("deleted %d", n)
	}
}

// Rows can be inserted and deleted between the pages of a walk.
func TestOnRequestChangesRowsBetweenPages(t *testing.T) {
	s := New(small())
	var numbers []int
	s.SetOnRequest(func(r *http.Request, n int) {
		numbers = append(numbers, n)
		if n > 1 {
			s.AddAlerts(s.NewRow(Alerts, s.Now().Add(time.Duration(n)*time.Second), n))
		}
	})
	first := get[page](t, s, "/policy/alerts?take=10", 200)
	second := get[page](t, s, "/policy/alerts?take=10&skip=10", 200)
	if second.Total != first.Total+1 || second.ids()[0] != first.ids()[9] {
		t.Error("the insertion did not shift the second page")
	}
	if !slices.Equal(numbers, []int{1, 2}) {
		t.Errorf("numbers %v", numbers)
	}
}

func TestQuotingIsJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := New(Options{Now: noon})
		row := s.NewRow(Alerts, noon, 0)
		row.Message = rapid.String().Draw(rt, "message")
		s.AddAlerts(row)
		got := get[page](t, s, "/policy/alerts", 200).Alerts[0].Message
		if got != row.Message {
			rt.Fatalf("%s came back as %s", strconv.Quote(row.Message), strconv.Quote(got))
		}
	})
}

func TestEditChangesAndRemovesRows(t *testing.T) {
	s, untouched := New(small()), New(small())
	s.Edit(Violations, func(r *Row) bool {
		if r.UserName == "John Doe" {
			r.PolicyName, r.Timestamp = "renamed", noon.AddDate(1, 0, 0)
		}
		return r.UserName != "Jane Smith"
	})
	var want []Row
	for _, row := range untouched.Rows(Violations) {
		if row.UserName == "John Doe" {
			row.PolicyName = "renamed" // at its time
		}
		if row.UserName != "Jane Smith" {
			want = append(want, row)
		}
	}
	if diff := cmp.Diff(want, s.Rows(Violations)); diff != "" || len(want) == untouched.Len(Violations) {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRowsWithFurtherFieldsAndRowsThatAreWithheld(t *testing.T) {
	s := New(Options{})
	shown, withheld := s.NewRow(Alerts, noon, 1), s.NewRow(Alerts, noon.Add(time.Second), 2)
	shown.Extra, withheld.Withheld = `"riskScore":0.50`, true
	s.AddAlerts(shown, withheld)
	body := text(t, request(t, s, "/policy/alerts"))
	if !strings.Contains(body, `,"riskScore":0.50}],"total":2,`) || strings.Count(body, `"id"`) != 1 {
		t.Error(body)
	}
}
