package extract

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

// semantics are all that the walk must read every row under.
func semantics() map[string]apisim.Semantics {
	all := map[string]apisim.Semantics{
		"no skip": {IgnoreSkip: true}, "no date": {NoDate: true},
		"30 a page": {LowerTake: 30}, "shuffled ties": {ShuffleTies: true}, "no from": {IgnoreFrom: true},
	}
	resolutions := []string{"milliseconds", "cut to seconds", "whole seconds", "cut to days", "whole days"}
	for r, resolution := range resolutions {
		for bounds := range 4 {
			for digits, name := range []string{"", ", microseconds", ", hidden microseconds"} {
				m := apisim.Semantics{
					Resolution: apisim.Resolution(r), FromExclusive: bounds&1 > 0, ToExclusive: bounds&2 > 0, Digits: apisim.Digits(digits),
				}
				all[fmt.Sprintf("%s, from exclusive %v, to exclusive %v%s", resolution, m.FromExclusive, m.ToExclusive, name)] = m
			}
		}
	}
	return all
}

func TestEveryRowUnderAllSemantics(t *testing.T) {
	for name, m := range semantics() {
		t.Run(name, func(t *testing.T) {
			oneInFour(t)
			t.Parallel()
			sim := apisim.New(apisim.Options{NoGzip: true, Seed: 3, Now: noon, Days: 9, AlertsPerDay: 150, Semantics: m})
			if !m.IgnoreSkip {
				sim.AddAlerts(rowsAt(spread(noon.Add(-50*time.Hour), 150, 20*time.Microsecond)...)...)
			}
			sim.AddAlerts(rowsAt(spread(noon.Add(time.Minute), 130, 7*time.Hour)...)...)
			reader := dial(t, sim, connections(4))
			all := truth(t, sim, anyPage)
			start := noon.AddDate(0, 0, -9).Add(-time.Hour)
			sim.ResetRequests()
			r := readAll(reader,
				Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -1), noon), Open: true},
				Job{Query: anyPage, Interval: between(start.AddDate(0, 0, 3).Add(123456*time.Microsecond), noon.AddDate(0, 0, -1))},
				Job{Query: anyPage, Interval: between(start, start.AddDate(0, 0, 3).Add(123456*time.Microsecond))},
			)
			r.expect(t, func(int) []shown { return all })
			limit := len(all) / 100 * 8
			if m.LowerTake > 0 {
				limit *= 4
			}
			if n := len(sim.Requests()); n > limit+60 {
				t.Errorf("%d requests for %d rows", n, len(all))
			}
		})
	}
}

// TestBoundsThatAreTruncatedWithoutATrace has jobs whose ends lie in the middle of a
// day, and no row outside of them that would give the source away.
func TestBoundsThatAreTruncatedWithoutATrace(t *testing.T) {
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	for name, m := range semantics() {
		for _, n := range []int{1, 99, 100, 130} {
			t.Run(fmt.Sprintf("%s, %d rows", name, n), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: m})
				sim.AddAlerts(rowsAt(spread(day.Add(9*time.Hour+1111*time.Millisecond), n, 61*time.Second+77*time.Millisecond)...)...)
				reader := dial(t, sim)
				all := truth(t, sim, anyPage)
				for range 2 { // the second time with what the reader learned
					readAll(reader,
						Job{Query: anyPage, Interval: between(day.Add(9*time.Hour), day.Add(10*time.Hour+500*time.Millisecond))},
						Job{Query: anyPage, Interval: between(day.Add(10*time.Hour+500*time.Millisecond), day.Add(15*time.Hour))},
					).expect(t, func(int) []shown { return all })
				}
			})
		}
	}
}

// TestSplitsOnCoarseSources makes workers split walks from the first page on.
func TestSplitsOnCoarseSources(t *testing.T) {
	for r := range 5 {
		for _, exclusive := range []bool{false, true} {
			t.Run(fmt.Sprint(r, exclusive), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				m := apisim.Semantics{Resolution: apisim.Resolution(r), ToExclusive: exclusive, FromExclusive: exclusive}
				sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: m})
				sim.AddAlerts(rowsAt(spread(noon.Add(-9*time.Hour), 4500, 6*time.Second+3*time.Millisecond)...)...)
				reader := dial(t, sim, connections(8))
				all := truth(t, sim, anyPage)
				job := Job{Query: anyPage, Interval: between(noon.AddDate(0, -1, 0), noon)}
				readAll(reader, job).expect(t, func(int) []shown { return all })
			})
		}
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 60, AlertsPerDay: 160})
	all := truth(t, sim, anyPage)
	for _, n := range []int{1, 2, 8, 16} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if race.Enabled && n != 8 {
				t.Skip("run without the race detector")
			}
			reader := dial(t, sim, connections(n))
			before := sim.RequestCount()
			job := Job{Query: anyPage, Interval: between(noon.AddDate(-2, 0, 0), noon), Open: true}
			readAll(reader, job).expect(t, func(int) []shown { return all })
			t.Logf("%d rows, %d requests", len(all), sim.RequestCount()-before)
		})
	}
}

func TestJobsByPolicyAndWithFilters(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 30, AlertsPerDay: 160, ViolationsPerDay: 90})
	org := sim.Organisation()
	span := between(noon.AddDate(0, 0, -31), noon)
	queries := []api.Query{
		{Endpoint: anyPage.Endpoint, RepoID: org.Repos[0].ID},
		{Endpoint: anyPage.Endpoint, PolicyID: org.Policies[1].ID},
		{Endpoint: anyPage.Endpoint, WorkspaceID: org.Workspaces[0].ID},
		{Endpoint: anyPage.Endpoint, LLMType: []string{"OPENAI", "ANTHROPIC"}},
		{Endpoint: "/policy/violations", Severity: []string{"HIGH", "LOW"}, Block: new(true)},
		{Endpoint: "/policy/violations"},
	}
	for _, policy := range org.Policies {
		queries = append(queries, api.Query{Endpoint: "/policy/violations", PolicyPath: policy.ID})
	}
	var jobs []Job
	for _, q := range queries {
		jobs = append(jobs, Job{Query: q, Interval: span, Open: true})
	}
	readAll(dial(t, sim), jobs...).expect(t, func(i int) []shown { return truth(t, sim, queries[i]) })
	for _, request := range sim.Requests() {
		if len(request.Unknown) > 0 {
			t.Errorf("undocumented parameters %v at %s", request.Unknown, request.Path)
		}
	}
}

func TestRowsDatedInTheFuture(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 2, AlertsPerDay: 160})
	sim.AddAlerts(rowsAt(spread(noon.Add(time.Second), 430, 11*time.Hour)...)...)
	end := time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	for i := range 250 {
		sim.AddAlerts(rowsAt(end.Add(-time.Duration(max(0, i-150)) * time.Second))...)
	}
	all := truth(t, sim, anyPage)
	for _, m := range []apisim.Semantics{{}, {ToExclusive: true, FromExclusive: true}, {Resolution: apisim.TruncatedSecond}, {Resolution: apisim.WholeDay}, {ShuffleTies: true}} {
		sim.SetSemantics(m)
		for _, open := range []bool{true, false} {
			job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -3), noon), Open: open}
			readAll(dial(t, sim), job).expect(t, func(int) []shown { return all })
		}
	}
}

// Neighbouring pages overlap by a row, which is counted and not given again.
func TestARowIsGivenOnce(t *testing.T) {
	sim := uniform(5000)
	repeated := 0
	r := readWith(dial(t, sim, connections(4)), func(_ *reading, page Page) { repeated += page.Repeated },
		Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon), Open: true})
	if r.err != nil || len(r.records[0]) != 5000 || repeated < 40 {
		t.Errorf("%d rows, %d repeated, %v", len(r.records[0]), repeated, r.err)
	}
	for record, times := range r.records[0] {
		// A walk is cut at whole seconds, and both sides request a row that is at a cut.
		onCut := strings.Contains(record, `.000Z"`) && times == 2
		if times != 1 && !onCut {
			t.Fatalf("%s came %d times", record, times)
		}
	}
}

// The rows of one time come together, however long the history is.
func TestWorkersReadNeighbouringRanges(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("run without the race detector")
	}
	const connected, rows = 4, 50_000
	sim := uniform(rows)
	from, to := noon.AddDate(0, 0, -91), noon
	span, far := to.Sub(from)/rows*shareRows, 0
	front := to // the oldest row given so far that leaves no gap above it, roughly
	readWith(dial(t, sim, connections(connected)), func(r *reading, page Page) {
		for _, i := range page.Covered {
			if front.Sub(i.To) > 2*connected*span {
				far++
			}
			if covered := r.covered[0]; len(covered) > 0 {
				front = covered[len(covered)-1].From
			}
		}
	}, Job{Query: anyPage, Interval: between(from, to), Open: true})
	if far > 0 {
		t.Errorf("%d pages came from far below what had been read", far)
	}
}

// elsewhere serves the simulator's pages with five rows of earlier answers in the
// place of the last five of each, wherever these belong.
func elsewhere(t *testing.T, sim *apisim.Sim) string {
	t.Helper()
	var mu sync.Mutex
	var given []json.RawMessage
	random := rand.New(rand.NewPCG(1, 2))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		r.Header.Del("Accept-Encoding")
		sim.Handler().ServeHTTP(answer, r)
		var page map[string]any
		var rows struct{ Alerts []json.RawMessage }
		if json.Unmarshal(answer.Body.Bytes(), &page) != nil || json.Unmarshal(answer.Body.Bytes(), &rows) != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		mixed := rows.Alerts[:min(len(rows.Alerts), 95)]
		for range min(5, len(given)) {
			mixed = append(mixed[:len(mixed):len(mixed)], given[random.IntN(len(given))])
		}
		given = append(given, rows.Alerts[:min(len(rows.Alerts), 10)]...)
		page["alerts"] = mixed
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A page that ends with rows from below the walk is no proof that nothing is left.
func TestRowsOfElsewhereHideNothing(t *testing.T) {
	t.Parallel()
	for range 2 {
		sim := uniform(700)
		all := truth(t, sim, anyPage)
		reader := dialURL(t, elsewhere(t, sim), connections(8), func(o *api.Options) { o.Now = sim.Now })
		r := readAll(reader, Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon), Open: true})
		if r.err != nil && api.KindOf(r.err) != api.OffContract {
			t.Error(r.err)
		}
		r.honest(t, all)
	}
}
