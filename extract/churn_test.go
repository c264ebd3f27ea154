package extract

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

// churn changes the source while it is read, and remembers which rows it has
// touched: those it promises nothing about.
type churn struct {
	sim     *apisim.Sim
	touched map[string]bool
	steps   []func(n int)
}

// TestWalkOfASourceThatChanges: whatever happens meanwhile, rows that were there
// during the whole walk are yielded, nothing is covered that lacks one of them,
// and the walk ends soon. Totals may be wrong and skip may be ignored: that may
// cost coverage, never a wrong claim of it.
func TestWalkOfASourceThatChanges(t *testing.T) {
	t.Parallel()
	if checks := flag.Lookup("rapid.checks"); race.Enabled && checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("10") // all of them are run without the race detector
	}
	rapid.Check(t, func(t *rapid.T) {
		m := drawSemantics(t)
		sim := apisim.New(apisim.Options{NoGzip: true, Seed: rapid.Uint64Range(1, 1000).Draw(t, "seed"), Now: noon, Semantics: m})
		low := noon.Add(-40 * time.Hour)
		if rapid.Bool().Draw(t, "odd") {
			low = low.Add(-time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ms")) * time.Microsecond * 777)
		}
		dense := drawRows(t, sim, low)
		before := truth(t, sim, anyPage)
		ids := map[string]bool{}
		for _, row := range sim.Alerts() {
			ids[row.ID] = true
		}
		changes := &churn{sim: sim, touched: map[string]bool{}}
		changes.draw(t, slices.Sorted(maps.Keys(ids)), low, m.ShuffleTies && dense)
		began := sim.RequestCount()
		sim.SetOnRequest(func(_ *http.Request, n int) { changes.apply(n - began) })
		reader := dial(t, sim, connections(rapid.SampledFrom([]int{1, 2, 8}).Draw(t, "connections")))
		jobs := drawJobs(t, low)
		r := readAll(reader, jobs...)
		sim.SetOnRequest(nil)
		requests := sim.RequestCount() - began
		untouched := slices.DeleteFunc(before, func(s shown) bool { return changes.touched[s.id] })
		if api.KindOf(r.err) == api.OffContract && m.IgnoreSkip {
			r.honest(t, untouched)
		} else {
			check(t, r, untouched)
		}
		take := 100
		if m.LowerTake > 0 {
			take = m.LowerTake
		}
		each, rows := 60, len(before)
		if m.IgnoreSkip || m.TotalOffset != 0 || m.TotalRandom != 0 || m.TotalCap != 0 {
			// All passes by skip are made, over pages that overlap by up to a half, and
			// over rows of the days around that may be gone at the end.
			each, rows = 12*mostPasses, sim.Len(apisim.Alerts)
		}
		if limit := 300 + each*len(jobs)*(rows/take+1); requests > limit {
			t.Errorf("%d requests for %d rows, limit %d", requests, rows, limit)
		}
	})
}

// check compares a reading with the rows that nobody touched.
func check(t fataler, r *reading, untouched []shown) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("walk: %v", r.err)
	}
	r.honest(t, untouched)
	r.accounted(t)
	short := len(r.walks.Shortfalls()) > 0
	for i, job := range r.jobs {
		for _, s := range untouched {
			if at := s.at.Time(); !at.Before(job.Interval.From) && (at.Before(job.Interval.To) || job.Open) && r.records[i][s.raw] == 0 && !short {
				t.Fatalf("job %d: %s is missing", i, brief(s.raw))
			}
		}
	}
}

func drawSemantics(t *rapid.T) apisim.Semantics {
	resolution := apisim.Resolution(rapid.IntRange(0, 4).Draw(t, "resolution"))
	m := apisim.Semantics{
		Resolution: resolution,
		Digits:     apisim.Digits(rapid.IntRange(0, 2).Draw(t, "digits")),
		// Counting out the whole day of from is what begin takes on trust not to happen.
		FromExclusive: rapid.Bool().Draw(t, "from exclusive") && resolution != apisim.WholeDay,
		ToExclusive:   rapid.Bool().Draw(t, "to exclusive"),
		ShuffleTies:   rapid.Bool().Draw(t, "shuffle"),
		LowerTake:     rapid.SampledFrom([]int{0, 0, 0, 50, 13}).Draw(t, "take"),
		IgnoreSkip:    rapid.IntRange(0, 9).Draw(t, "skip is ignored if 0") == 0,
		TotalOffset:   rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 1, 40, -1, -40}).Draw(t, "total is wrong by"),
		TotalRandom:   rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 2, 30}).Draw(t, "total moves by"),
		TotalCap:      rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 100, 350}).Draw(t, "total is at most"),
	}
	// A wrong total that is just as large as a take that nobody would choose passes for
	// complete; see ADR 25.
	if m.LowerTake == 13 && (m.TotalOffset != 0 || m.TotalRandom != 0) {
		m.LowerTake = 20
	}
	return m
}

func drawJobs(t *rapid.T, low time.Time) []Job {
	query, open := anyPage, rapid.Bool().Draw(t, "open")
	cuts := rapid.SliceOfN(rapid.IntRange(1, 143_999_999), 0, 3).Draw(t, "cuts")
	slices.Sort(cuts)
	var jobs []Job
	from := low
	for _, cut := range slices.Compact(cuts) {
		if at := low.Add(time.Duration(cut) * time.Millisecond); at.Before(noon) {
			jobs = append(jobs, Job{Query: query, Interval: between(from, at)})
			from = at
		}
	}
	if open { // the plan's begin at whole seconds
		from = from.Truncate(time.Second)
	}
	return append(jobs, Job{Query: query, Interval: between(from, noon), Open: open})
}

// drawRows adds clusters of rows: dense ones, sparse ones, and dense timestamps.
func drawRows(t *rapid.T, sim *apisim.Sim, low time.Time) (dense bool) {
	for i := range rapid.IntRange(1, 6).Draw(t, "clusters") {
		n := rapid.SampledFrom([]int{1, 20, 99, 100, 101, 250, 400}).Draw(t, fmt.Sprint("rows", i))
		step := rapid.SampledFrom([]time.Duration{0, time.Microsecond, 300 * time.Microsecond, time.Millisecond, 97 * time.Millisecond, time.Second, 41*time.Second + time.Millisecond, 10 * time.Minute}).Draw(t, fmt.Sprint("step", i))
		first := low.Add(time.Duration(rapid.Int64Range(-3_600_000, 150_000_000).Draw(t, fmt.Sprint("first", i))) * time.Millisecond)
		if rapid.Bool().Draw(t, fmt.Sprint("whole second", i)) {
			first = first.Truncate(time.Second)
		}
		rows := rowsAt(spread(first, n, step)...)
		sim.AddAlerts(rows...)
		dense = dense || step == 0
	}
	return dense
}

// draw plans changes, each before the answer of some request. A dense timestamp in random
// order is never seen as a whole: if a row leaves it while another one comes,
// nothing shows a reader so. Then rows are not taken away.
func (c *churn) draw(t *rapid.T, ids []string, low time.Time, onlyGrows bool) {
	kinds := []int{0, 1, 2, 3, 4}
	if onlyGrows {
		kinds = []int{0, 1, 4}
	}
	for i := range rapid.IntRange(0, 25).Draw(t, "changes") {
		n := rapid.IntRange(1, 60).Draw(t, fmt.Sprint("when", i))
		id := rapid.SampledFrom(ids).Draw(t, fmt.Sprint("whom", i))
		at := low.Add(time.Duration(rapid.Int64Range(-1000, 150_000_000).Draw(t, fmt.Sprint("at", i))) * time.Millisecond)
		many := rapid.SampledFrom([]int{1, 1, 3, 120}).Draw(t, fmt.Sprint("many", i))
		kind := rapid.SampledFrom(kinds).Draw(t, fmt.Sprint("kind", i))
		c.steps = append(c.steps, func(now int) {
			if now != n {
				return
			}
			switch kind {
			case 0:
				c.sim.AddAlerts(rowsAt(spread(at, many, time.Second)...)...)
			case 1:
				c.sim.AddAlerts(rowsAt(spread(noon.Add(-time.Duration(n)*time.Second), many, time.Millisecond)...)...)
			case 2:
				place := slices.Index(ids, id)
				gone := ids[place:min(len(ids), place+many)]
				for _, id := range gone {
					c.touched[`"`+id+`"`] = true
				}
				c.sim.Delete(apisim.Alerts, gone...)
			case 3:
				c.touched[`"`+id+`"`] = true
				c.sim.Update(apisim.Alerts, id, func(r *apisim.Row) { r.Timestamp = at })
			case 4:
				c.touched[`"`+id+`"`] = true
				c.sim.Update(apisim.Alerts, id, func(r *apisim.Row) { r.Message += " again" })
			}
		})
	}
}

func (c *churn) apply(n int) {
	for _, step := range c.steps {
		step(n)
	}
}

// TestDeletionsWhileDaysAreReadBySkip: what was read is deleted, so that all that
// follows moves up across the borders of the pages, while as much comes in above
// and keeps the total as it was.
func TestDeletionsWhileDaysAreReadBySkip(t *testing.T) {
	for _, arrive := range []bool{false, true} {
		sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: apisim.Semantics{Resolution: apisim.TruncatedDay}})
		ids := sim.AddAlerts(rowsAt(spread(noon.Add(-10*time.Hour), 2000, 17*time.Second)...)...)
		before := truth(t, sim, anyPage)
		touched, began := map[string]bool{}, sim.RequestCount()
		sim.SetOnRequest(func(r *http.Request, n int) {
			if n -= began; n > 25 || r.URL.Query().Get("skip") == "" {
				return
			}
			const many = 5
			newest := len(ids) - many // read long ago
			for _, id := range ids[newest:] {
				touched[`"`+id+`"`] = true
			}
			sim.Delete(apisim.Alerts, ids[newest:]...)
			if ids = ids[:newest]; arrive {
				sim.AddAlerts(rowsAt(spread(noon.Add(-11*time.Hour-time.Duration(n)*time.Minute), many, time.Second)...)...)
			}
		})
		r := readAll(dial(t, sim), Job{Query: anyPage, Interval: between(noon.Add(-12*time.Hour), noon)})
		sim.SetOnRequest(nil)
		check(t, r, slices.DeleteFunc(before, func(s shown) bool { return touched[s.id] }))
		if len(r.covered[0]) == 0 {
			t.Errorf("nothing is covered although the changes ended: %+v", r.walks.Shortfalls())
		}
	}
}
