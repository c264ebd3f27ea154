package extract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// TestWrongTotals: the walk ends, claims nothing that it does not have, and says
// where it fell short.
func TestWrongTotals(t *testing.T) {
	type sample struct {
		name  string
		m     apisim.Semantics
		dense bool
	}
	var samples []sample
	for name, m := range map[string]apisim.Semantics{
		"too many": {TotalOffset: 7}, "far too many": {TotalOffset: 1_000_000_000}, "one too many": {TotalOffset: 1},
		"too few": {TotalOffset: -7}, "far too few": {TotalOffset: -3000}, "one too few": {TotalOffset: -1},
		"random": {TotalRandom: 9}, "very random": {TotalRandom: 5000},
		"capped": {TotalCap: 1000}, "capped at a page": {TotalCap: 100}, "capped at less": {TotalCap: 30}, "never any": {TotalOffset: -1 << 40},
		"skip ignored": {IgnoreSkip: true}, "skip ignored, shuffled": {IgnoreSkip: true, ShuffleTies: true},
		"from ignored": {IgnoreFrom: true}, "to ignored": {IgnoreTo: true}, "both ignored": {IgnoreFrom: true, IgnoreTo: true},
		"all ignored":                {IgnoreFrom: true, IgnoreTo: true, IgnoreSkip: true},
		"skip ignored, far too many": {IgnoreSkip: true, ShuffleTies: true, TotalOffset: 1_000_000_000},
	} {
		for _, take := range []int{0, 33} {
			m.LowerTake = take
			samples = append(samples, sample{fmt.Sprint(name, take), m, false}, sample{fmt.Sprint(name, take, " dense"), m, true})
		}
	}
	for _, s := range samples {
		for _, days := range []bool{false, true} {
			if days && (s.m.LowerTake > 0 || !s.dense) {
				continue
			}
			t.Run(fmt.Sprint(s.name, days), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				m := s.m
				if days {
					m.Resolution = apisim.TruncatedDay
				}
				sim := apisim.New(apisim.Options{NoGzip: true, Seed: 4, Now: noon, Days: 20, AlertsPerDay: 45, Semantics: m})
				if s.dense {
					sim.AddAlerts(rowsAt(same(noon.Add(-30*time.Hour), 450)...)...)
					sim.AddAlerts(rowsAt(same(noon.Add(-300*time.Hour), 150)...)...)
				}
				all := truth(t, sim, anyPage)
				before := sim.RequestCount()
				r := readAll(dial(t, sim, connections(3)),
					Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -10), noon), Open: true},
					Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -20), noon.AddDate(0, 0, -10))},
				)
				if r.err != nil && api.KindOf(r.err) != api.OffContract {
					t.Errorf("failed with %v", r.err)
				}
				r.honest(t, all)
				r.accounted(t)
				pages := len(all)/100 + 1
				if m.LowerTake > 0 {
					pages = len(all)/m.LowerTake + 1
				}
				requests := sim.RequestCount() - before
				if requests > 12*pages+150 {
					t.Errorf("%d requests for %d pages", requests, pages)
				}
				t.Logf("%d requests for %d pages, error %v, %d shortfalls", requests, pages, r.err, len(r.walks.Shortfalls()))
			})
		}
	}
}

// accounted checks that a walk without failure has covered each job but for its
// shortfalls.
func (r *reading) accounted(t fataler) {
	t.Helper()
	if r.err != nil {
		return
	}
	known := r.covered
	for _, s := range r.walks.Shortfalls() {
		if s.Missing < 1 {
			t.Errorf("shortfall of nothing: %+v", s)
		}
		known[s.Job] = known[s.Job].Union(checkpoints.Of(s.Interval))
	}
	for i, job := range r.jobs {
		if got := known[i]; len(got) != 1 || got[0] != job.Interval {
			t.Errorf("job %d %v: covered or short are only %v", i, job.Interval, got)
		}
	}
}

// Where a timestamp has more rows than a page, a source that ignores skip cannot be read.
func TestIgnoredSkipIsNoticedAtADenseTimestamp(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: apisim.Semantics{IgnoreSkip: true}})
	sim.AddAlerts(rowsAt(same(noon.Add(-30*time.Hour), 250)...)...)
	all := truth(t, sim, anyPage)
	before := sim.RequestCount()
	r := readAll(dial(t, sim), Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -2), noon)})
	wantKind(t, r.err, api.OffContract)
	if !errors.Is(r.err, ErrIgnored) || sim.RequestCount()-before > 12 {
		t.Errorf("%d requests, %v", sim.RequestCount()-before, r.err)
	}
	r.honest(t, all)
}

func TestIgnoredSkipWithoutDenseTimestampsCostsNothing(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 4, Now: noon, Days: 20, AlertsPerDay: 150, Semantics: apisim.Semantics{IgnoreSkip: true}})
	all := truth(t, sim, anyPage)
	job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -20), noon)}
	readAll(dial(t, sim), job).expect(t, func(int) []shown { return all })
}

// A total that no source can mean makes no walk split indefinitely.
func TestAnAbsurdTotalEnds(t *testing.T) {
	t.Parallel()
	for _, total := range []int{5e9, 1e15, 1 << 62} {
		sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 20, AlertsPerDay: 45, Semantics: apisim.Semantics{TotalOffset: total}})
		sim.SetOnRequest(func(_ *http.Request, n int) {
			if n > 2000 {
				t.Error("it goes on and on")
				sim.SetSemantics(apisim.Semantics{})
			}
		})
		r := readAll(dial(t, sim, connections(8)), Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -21), noon)})
		if len(r.walks.Shortfalls()) == 0 && r.err == nil {
			t.Errorf("total %d: neither short nor failed", total)
		}
	}
}

// Where skip is ignored and the order of a dense timestamp is random, each page looks new as
// often as a total that moves has what was gathered forgotten.
func TestIgnoredSkipAndATotalThatMovesEnd(t *testing.T) {
	t.Parallel()
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: apisim.Semantics{IgnoreSkip: true, ShuffleTies: true, TotalRandom: 30}})
	sim.AddAlerts(rowsAt(same(noon.Add(-time.Hour), 250)...)...)
	sim.SetOnRequest(func(_ *http.Request, n int) {
		if n > 2000 {
			sim.SetSemantics(apisim.Semantics{})
		}
	})
	r := readAll(dial(t, sim), Job{Query: anyPage, Interval: between(noon.Add(-2*time.Hour), noon)})
	if n := sim.RequestCount(); n > 1000 {
		t.Errorf("%d requests", n)
	}
	r.accounted(t)
}

// A source that compares whole seconds gives a row from beyond the bound. Where its
// total says that there is more, the walk must not go back up to that row.
func TestALoneRowBeyondTheBoundEnds(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: apisim.Semantics{Resolution: apisim.WholeSecond, TotalOffset: 1}})
	end := noon.Add(-time.Hour)
	sim.AddAlerts(rowsAt(end.Add(500 * time.Millisecond))...)
	sim.AddAlerts(rowsAt(spread(end.Add(10*time.Minute), 3, 7*time.Second+13*time.Millisecond)...)...)
	sim.SetOnRequest(func(_ *http.Request, n int) {
		if n > 300 {
			sim.SetSemantics(apisim.Semantics{})
		}
	})
	reader := dial(t, sim, connections(1))
	job := Job{Query: anyPage, Interval: between(end.Add(-time.Hour), end)}
	if _, err := reader.Resolution(context.Background(), anyPage); err != nil {
		t.Fatal(err)
	}
	r := readAll(reader, job)
	if n := sim.RequestCount(); n > 100 {
		t.Errorf("%d requests, %d shortfalls", n, len(r.walks.Shortfalls()))
	}
	r.accounted(t)
}

// A source that knows only dates gives one row, again and again, to a walk that ends
// before it, and counts another one: there is no way down by time.
func TestALoneRowBeyondTheBoundLeadsNowhere(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 4, Now: noon, Semantics: apisim.Semantics{Resolution: apisim.WholeDay, TotalOffset: 1}})
	at := noon.Add(-15 * time.Hour).Add(158 * time.Millisecond)
	sim.AddAlerts(rowsAt(at)...)
	before := sim.RequestCount()
	cut := at.Truncate(time.Second).Add(-26 * time.Second)
	r := readAll(dial(t, sim, connections(1)),
		Job{Query: anyPage, Interval: between(cut, noon), Open: true},
		Job{Query: anyPage, Interval: between(cut.Add(-time.Hour), cut)},
	)
	if r.err != nil {
		t.Fatal(r.err)
	}
	if n := sim.RequestCount() - before; n > 100 {
		t.Errorf("%d requests for a row", n)
	}
	r.honest(t, truth(t, sim, anyPage))
	if len(r.records[0]) != 1 {
		t.Errorf("%d rows", len(r.records[0]))
	}
}
