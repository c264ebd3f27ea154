package extract

import (
	"fmt"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

// same are n equal instants.
func same(at time.Time, n int) []time.Time { return spread(at, n, 0) }

func TestDenseTimestamps(t *testing.T) {
	low, high := noon.Add(-time.Hour), noon
	for name, at := range map[string][]time.Time{
		"at the bottom":         same(low, 333),
		"just below the bottom": same(low.Add(-time.Millisecond), 333),
		"at the top":            same(high, 333),
		"just below the top":    same(high.Add(-time.Millisecond), 333),
		"at every end": append(append(append(same(low.Add(-time.Millisecond), 150), same(low, 150)...),
			same(high.Add(-time.Millisecond), 150)...), same(high, 150)...),
		"side by side":           spread(low.Add(time.Minute), 450, 10*time.Microsecond),
		"one page and no more":   same(low.Add(time.Minute), 100),
		"one row more than that": same(low.Add(time.Minute), 101),
		"ties across two pages":  append(spread(low.Add(time.Minute), 180, time.Second), same(low.Add(200*time.Second), 60)...),
		"in one second":          spread(low.Add(time.Minute), 350, time.Millisecond),
		"in whole seconds":       append(same(low.Add(time.Minute), 250), same(low.Add(61*time.Second), 250)...),
	} {
		for i, m := range []apisim.Semantics{
			{},
			{FromExclusive: true, ToExclusive: true},
			{ShuffleTies: true},
			{ShuffleTies: true, Digits: apisim.HiddenMicroseconds, ToExclusive: true},
			{LowerTake: 17},
			{Resolution: apisim.TruncatedSecond},
			{Resolution: apisim.WholeSecond, ToExclusive: true, FromExclusive: true},
			{Resolution: apisim.TruncatedDay, ShuffleTies: true},
			{Resolution: apisim.WholeDay},
		} {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: m})
				sim.AddAlerts(rowsAt(at...)...)
				sim.AddAlerts(rowsAt(spread(low.Add(-time.Hour), 120, time.Minute)...)...)
				reader := dial(t, sim)
				all := truth(t, sim, anyPage)
				job := Job{Query: anyPage, Interval: between(low, high)}
				readAll(reader, job).expect(t, func(int) []shown { return all })
				job.Open = true
				readAll(reader, job).expect(t, func(int) []shown { return all })
			})
		}
	}
}

func TestFiveThousandRowsInOneMillisecond(t *testing.T) {
	t.Parallel()
	for _, m := range []apisim.Semantics{{}, {ShuffleTies: true}} {
		sim := apisim.New(apisim.Options{NoGzip: true, Seed: 2, Now: noon, Days: 3, AlertsPerDay: 300, Semantics: m})
		n := 5000
		if race.Enabled {
			n = 1000
		}
		sim.AddAlerts(rowsAt(same(noon.Add(-30*time.Hour), n)...)...)
		all := truth(t, sim, anyPage)
		before := sim.RequestCount()
		job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -4), noon)}
		readAll(dial(t, sim, connections(2)), job).expect(t, func(int) []shown { return all })
		requests := sim.RequestCount() - before
		t.Logf("shuffled %v: %d requests", m.ShuffleTies, requests)
		if requests > 150 && !m.ShuffleTies || requests > 1200 {
			t.Errorf("shuffled %v: %d requests", m.ShuffleTies, requests)
		}
	}
}

func TestExactPages(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 199, 200, 201, 300} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
			sim.AddAlerts(rowsAt(spread(noon.Add(-3*time.Hour), n, 1234*time.Millisecond)...)...)
			all := truth(t, sim, anyPage)
			reader := dial(t, sim)
			before := sim.RequestCount()
			job := Job{Query: anyPage, Interval: between(noon.Add(-4*time.Hour), noon)}
			readAll(reader, job).expect(t, func(int) []shown { return all })
			if got := sim.RequestCount() - before; got > n/100+4 || (n < 100 && got != 1) {
				t.Errorf("%d requests", got)
			}
		})
	}
}

func TestEmptyIntervals(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
	sim.AddAlerts(rowsAt(spread(noon.AddDate(0, 0, -9), 300, time.Minute)...)...)
	reader := dial(t, sim)
	all := truth(t, sim, anyPage)
	query := anyPage
	readAll(reader,
		Job{Query: query, Interval: between(noon.Add(-time.Hour), noon)},
		Job{Query: query, Interval: between(noon.Add(-time.Hour), noon), Open: true},
		Job{Query: query, Interval: between(noon.AddDate(-1, 0, 0), noon.AddDate(0, 0, -20))},
		Job{Query: query, Interval: between(noon, noon)},
		Job{Query: query, Interval: between(noon, noon), Open: true},
		Job{Query: query, Interval: between(time.Time{}, noon)},
	).expect(t, func(int) []shown { return all })
	r := readAll(reader)
	if r.err != nil {
		t.Error(r.err)
	}
}

func TestOddRecords(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
	low := noon.Add(-10 * time.Hour)
	for i := range 500 {
		at := low.Add(time.Duration(i) * time.Minute)
		stamp := at.Format("2006-01-02T15:04:05.000Z")
		switch i % 9 {
		case 0:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"timestamp":%q,"message":"no id %d"}`, stamp, i))
		case 1:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":"undated-%d"}`, i))
		case 2:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":%d,"timestamp":"yesterday"}`, i))
		case 3:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`"no object %d"`, i))
		case 4:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf("{\"id\":\"\xff%d\",\"timestamp\":%q,\"id\":\"twice\"}", i, stamp))
		case 5:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":"twice","timestamp":%q}`, stamp))
		case 6:
			sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{ "id" : "\u0031-%d", "time\u0073tamp": "x", "timestamp" : "2026-03-18\u0054%s" }`, i, at.Format("15:04:05Z")))
		default:
			sim.AddAlerts(rowsAt(at)...)
		}
	}
	for _, m := range []apisim.Semantics{{}, {ToExclusive: true, FromExclusive: true}, {Resolution: apisim.TruncatedDay}, {LowerTake: 40}} {
		sim.SetSemantics(m)
		all := truth(t, sim, anyPage)
		job := Job{Query: anyPage, Interval: between(low, noon)}
		readAll(dial(t, sim), job).expect(t, func(int) []shown { return all })
	}
}

func TestOnlyUndatedRecords(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
	for i := range 350 {
		sim.AddRaw(apisim.Alerts, noon.Add(-time.Duration(i)*time.Minute), fmt.Sprintf(`{"id":"%d","timestamp":null}`, i))
	}
	all := truth(t, sim, anyPage)
	job := Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -1), noon), Open: true}
	readAll(dial(t, sim), job).expect(t, func(int) []shown { return all })
}

// A record whose timestamp is not that by which the source lists it may cost coverage,
// never a wrong claim of it: the range stays unproven. Other rows are read all the same,
// but for those between the record's place and its timestamp if it ends a page. The source
// does not count as coarser than it is.
func TestAWronglyDatedRecordCostsNoWrongClaim(t *testing.T) {
	low := noon.Add(-10*time.Hour + 77*time.Millisecond)
	for _, stamp := range []time.Time{low.Add(time.Hour), noon.AddDate(1, 0, 0), noon.AddDate(-1, 0, 0)} {
		for place := range 30 {
			t.Run(fmt.Sprint(stamp.Year(), " ", place), func(t *testing.T) {
				oneInFour(t)
				t.Parallel()
				sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
				sim.AddAlerts(rowsAt(spread(low, 500, time.Minute)...)...)
				rows := truth(t, sim, anyPage)
				at := low.Add(time.Duration(380+place)*time.Minute + time.Second)
				sim.AddRaw(apisim.Alerts, at, fmt.Sprintf(`{"id":"wrong","timestamp":%q}`, stamp.Format(time.RFC3339)))
				reader := dial(t, sim)
				r := readAll(reader, Job{Query: anyPage, Interval: between(low, noon)})
				r.honest(t, truth(t, sim, anyPage))
				r.accounted(t)
				var short checkpoints.Set
				for _, s := range r.walks.Shortfalls() {
					short = short.Union(checkpoints.Of(s.Interval))
				}
				for _, row := range rows {
					between := !row.at.Time().Before(stamp) && stamp.After(low) && short.Contains(row.at.Time())
					if r.records[0][row.raw] == 0 && !between {
						t.Fatalf("%s is missing", brief(row.raw))
					}
				}
				if resolution, err := reader.Resolution(t.Context(), anyPage); err != nil || resolution != time.Millisecond {
					t.Errorf("resolution %v, %v", resolution, err)
				}
			})
		}
	}
}

// honest checks that nothing that is covered lacks a row.
func (r *reading) honest(t fataler, all []shown) {
	t.Helper()
	for i := range r.jobs {
		for _, s := range all {
			if !s.dated || r.records[i][s.raw] > 0 {
				continue
			}
			for _, c := range r.covered[i] {
				if c.Contains(s.at.Time()) {
					t.Fatalf("job %d: covered %v without %s", i, c, brief(s.raw))
				}
			}
		}
	}
}
