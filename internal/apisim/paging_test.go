package apisim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const iso = "2006-01-02T15:04:05.000Z"

// Paging with skip to the end gives every row once, newest first, as Rows has it.
func TestPagingBySkipGivesEveryRow(t *testing.T) {
	s := New(small())
	for _, stream := range []Stream{Alerts, Violations} {
		var got []Row
		for {
			p := get[page](t, s, fmt.Sprintf("/policy/%s?take=100&skip=%d", stream, len(got)), 200)
			if p.Total != s.Len(stream) || p.Skip != len(got) || p.Take != 100 {
				t.Fatalf("total %d, skip %d, take %d", p.Total, p.Skip, p.Take)
			}
			for _, row := range p.rows() {
				got = append(got, row.row(t))
			}
			if len(p.rows()) < 100 {
				break
			}
		}
		want := s.Rows(stream)
		slices.Reverse(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-rows +paged):\n%.2000s", stream, diff)
		}
	}
}

func TestTakeDefaultsAndLimits(t *testing.T) {
	s := New(small())
	if p := get[page](t, s, "/policy/alerts", 200); len(p.Alerts) != 50 || p.Take != 50 || p.Skip != 0 {
		t.Errorf("by default %d rows, take %d, skip %d", len(p.Alerts), p.Take, p.Skip)
	}
	s.SetSemantics(Semantics{LowerTake: 20})
	if p := get[page](t, s, "/policy/alerts?take=100", 200); len(p.Alerts) != 20 || p.Take != 100 {
		t.Errorf("lowered: %d rows, take %d", len(p.Alerts), p.Take)
	}
	s.SetSemantics(Semantics{IgnoreSkip: true})
	first, second := get[page](t, s, "/policy/alerts", 200), get[page](t, s, "/policy/alerts?skip=50", 200)
	if !slices.Equal(first.ids(), second.ids()) || second.Skip != 50 {
		t.Errorf("skip was not ignored, or not echoed: %d", second.Skip)
	}
	s.SetSemantics(Semantics{})
	if p := get[page](t, s, "/policy/alerts?skip=1000000", 200); p.Alerts == nil || len(p.Alerts) != 0 || p.Total != s.Len(Alerts) {
		t.Errorf("beyond the end: %d rows, total %d", len(p.Alerts), p.Total)
	}
}

// Every combination of filters selects what a look at the rows says.
func TestFiltersAgreeWithRows(t *testing.T) {
	s := New(small())
	custom := s.NewRow(Violations, noon.Add(-time.Hour), 1)
	custom.Host, custom.Severity, custom.RepoID = new("own.example"), new("HIGH"), "repo-of-a-test"
	s.Add(Violations, custom)
	org := s.Organisation()
	home := map[string]string{}
	for _, repo := range org.Repos {
		home[repo.ID] = repo.WorkspaceID
	}
	rows := map[Stream][]Row{Alerts: s.Alerts(), Violations: s.Rows(Violations)}
	rapid.Check(t, func(rt *rapid.T) {
		stream := rapid.SampledFrom([]Stream{Alerts, Violations}).Draw(rt, "stream")
		values := url.Values{"take": {"100"}}
		draw := func(name string, from ...string) string {
			if !rapid.Bool().Draw(rt, "with "+name) {
				return ""
			}
			value := rapid.SampledFrom(from).Draw(rt, name)
			values.Set(name, value)
			return value
		}
		workspace := draw("workspaceId", org.Workspaces[0].ID, org.Workspaces[1].ID, "none", org.Workspaces[4].ID)
		repo := draw("repoId", org.Repos[0].ID, org.Repos[1].ID, "repo-of-a-test")
		policy := draw("policyId", org.Policies[0].ID, "none")
		types := draw("llmType", "OPENAI", "OPENAI,AWS", "none")
		names := draw("llmModel", "gpt-4", "claude-3,gpt-4o")
		hosts := draw("host", "api.openai.com", "own.example,api.anthropic.com")
		severity, block := "", ""
		if stream == Violations {
			severity, block = draw("severity", "LOW", "MEDIUM,HIGH"), draw("block", "true", "false")
		}
		in := func(wanted string, have *string) bool {
			return wanted == "" || (have != nil && slices.Contains(strings.Split(wanted, ","), *have))
		}
		var want []string
		for _, row := range slices.Backward(rows[stream]) {
			if in(workspace, new(home[row.RepoID])) && in(repo, &row.RepoID) && in(policy, &row.PolicyID) &&
				in(types, row.LLMType) && in(names, row.LLMModel) && in(hosts, row.Host) && in(severity, row.Severity) &&
				(block == "" || (row.Block != nil && fmt.Sprint(*row.Block) == block)) {
				want = append(want, row.ID)
			}
		}
		p := get[page](t, s, "/policy/"+string(stream)+"?"+values.Encode(), 200)
		if p.Total != len(want) || !slices.Equal(p.ids(), want[:min(100, len(want))]) {
			rt.Fatalf("%v: total %d, want %d", values, p.Total, len(want))
		}
	})
	for _, request := range s.Requests() {
		if request.Unknown != nil {
			t.Fatalf("unknown parameters in %v: %v", request.Query, request.Unknown)
		}
	}
}

func TestByPolicyEndpoint(t *testing.T) {
	s := New(small())
	policy := s.Organisation().Policies[1].ID
	for _, stream := range []Stream{Alerts, Violations} {
		p := get[page](t, s, "/policy/"+policy+"/"+string(stream), 200)
		q := get[page](t, s, "/policy/"+string(stream)+"?policyId="+policy, 200)
		if diff := cmp.Diff(q, p); diff != "" || p.Total == 0 || p.Total == s.Len(stream) {
			t.Errorf("%s: total %d; by query and by path differ:\n%s", stream, p.Total, diff)
		}
	}
	get[page](t, s, "/policy/"+policy+"/alerts?policyId=other&limit=5", 200)
	requests := s.Requests()
	if got, want := requests[len(requests)-1].Unknown, []string{"limit", "policyId"}; !slices.Equal(got, want) {
		t.Errorf("unknown parameters %v, want %v", got, want)
	}
}

func TestNoAccessGivesEmptyList(t *testing.T) {
	s := New(small())
	org := s.Organisation()
	for _, query := range []string{
		"workspaceId=" + org.Workspaces[4].ID, "workspaceId=never-heard-of", "repoId=" + org.Repos[25].ID,
	} {
		if p := get[page](t, s, "/policy/alerts?"+query, 200); !p.Success || p.Alerts == nil || len(p.Alerts) != 0 || p.Total != 0 {
			t.Errorf("%s: success %v, %d rows, total %d", query, p.Success, len(p.Alerts), p.Total)
		}
	}
}

// Paths are literal: nothing is cleaned, redirected or split at an escaped slash.
func TestPolicyIDsAreTakenLiterally(t *testing.T) {
	s := New(Options{})
	row := s.NewRow(Alerts, noon, 1)
	row.PolicyID = "../../x y"
	s.AddAlerts(row)
	p := get[page](t, s, "/policy/"+url.PathEscape(row.PolicyID)+"/alerts", 200)
	if p.Total != 1 {
		t.Errorf("total %d", p.Total)
	}
	if response := request(t, s, "/policy/../../x%20y/alerts"); response.StatusCode != http.StatusNotFound {
		t.Errorf("unescaped: status %d", response.StatusCode)
	}
}

func TestTotals(t *testing.T) {
	s := New(small())
	exact := s.Len(Alerts)
	total := func(m Semantics) int {
		s.SetSemantics(m)
		return get[page](t, s, "/policy/alerts?take=1", 200).Total
	}
	if got := total(Semantics{TotalOffset: -3}); got != exact-3 {
		t.Errorf("offset: %d of %d", got, exact)
	}
	if got := total(Semantics{TotalCap: 1000}); got != 1000 {
		t.Errorf("capped: %d", got)
	}
	if got := total(Semantics{TotalOffset: -exact - 1}); got != 0 {
		t.Errorf("never below zero: %d", got)
	}
	seen := map[int]bool{}
	for range 50 {
		got := total(Semantics{TotalRandom: 5})
		if seen[got] = true; got < exact-5 || got > exact+5 {
			t.Errorf("random: %d of %d", got, exact)
		}
	}
	if len(seen) < 5 {
		t.Errorf("random totals do not move: %v", seen)
	}
}

// Ties keep their order by default; then it changes by request, while
// every answer still holds the right number of rows from the tie.
func TestTies(t *testing.T) {
	s := New(Options{Seed: 3})
	var ids []string
	for n := range 250 {
		ids = append(ids, s.AddAlerts(s.NewRow(Alerts, noon, n))...)
	}
	s.AddAlerts(s.NewRow(Alerts, noon.Add(time.Second), 300), s.NewRow(Alerts, noon.Add(-time.Second), 301))
	target := "/policy/alerts?take=100&skip=50"
	first := get[page](t, s, target, 200).ids()
	if !slices.Equal(first, get[page](t, s, target, 200).ids()) {
		t.Error("stable ties changed")
	}
	for _, query := range []string{"", "&policyId=" + s.Organisation().Policies[0].ID} {
		s.SetSemantics(Semantics{ShuffleTies: true})
		one, two := get[page](t, s, target+query, 200), get[page](t, s, target+query, 200)
		if slices.Equal(one.ids(), two.ids()) {
			t.Errorf("shuffled ties did not change (%s)", query)
		}
		for _, id := range one.ids() {
			if query == "" && !slices.Contains(ids, id) {
				t.Errorf("row %s of another instant in the midst of the tie", id)
			}
		}
	}
	if p := get[page](t, s, "/policy/alerts?take=2", 200); p.Alerts[0].Timestamp != noon.Add(time.Second).Format(iso) {
		t.Errorf("newest row is from %s", p.Alerts[0].Timestamp)
	}
}
