package extract

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC) // a Wednesday

var anyPage = api.Query{Endpoint: "/policy/alerts"}

// oneInFour runs one case in four under the race detector, and all without it.
func oneInFour(t *testing.T) {
	t.Helper()
	if race.Enabled && crc32.ChecksumIEEE([]byte(t.Name()))%4 != 0 {
		t.Skip("run without the race detector")
	}
}

// fataler is what *testing.T and *rapid.T share.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// dial serves the simulator and returns a reader of it.
func dial(t fataler, sim *apisim.Sim, change ...func(*api.Options)) *Reader {
	t.Helper()
	url, stop := sim.Start()
	t.Cleanup(stop)
	return dialURL(t, url, append([]func(*api.Options){func(o *api.Options) { o.Now = sim.Now }}, change...)...)
}

// dialURL returns a reader of any server.
func dialURL(t fataler, url string, change ...func(*api.Options)) *Reader {
	t.Helper()
	options := api.Options{
		BaseURL: url, MaxConcurrency: 4, Timeout: 20 * time.Second, Retries: 3, Backoff: time.Millisecond,
		Token: func(context.Context) (string, error) { return "secret", nil },
	}
	for _, c := range change {
		c(&options)
	}
	client, err := api.New(options)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(client.Close)
	return NewReader(client)
}

func connections(n int) func(*api.Options) { return func(o *api.Options) { o.MaxConcurrency = n } }

// reading is what a walk gave, checked page by page.
type reading struct {
	jobs    []Job
	records []map[string]int // by job: how often each record came
	covered []checkpoints.Set
	walks   *Walks
	err     error
}

func readAll(reader *Reader, jobs ...Job) *reading { return readWith(reader, nil, jobs...) }

// readSparing reads as a run does that reads again what is known.
func readSparing(reader *Reader, jobs ...Job) *reading {
	for i := range jobs {
		jobs[i].Sparing = true
	}
	return readAll(reader, jobs...)
}

// readWith calls onPage for every page before it is counted.
func readWith(reader *Reader, onPage func(*reading, Page), jobs ...Job) *reading {
	walks := reader.Walk(jobs)
	r := &reading{jobs: jobs, records: make([]map[string]int, len(jobs)), covered: make([]checkpoints.Set, len(jobs)), walks: walks}
	for i := range r.records {
		r.records[i] = map[string]int{}
	}
	for page, err := range r.walks.Pages(context.Background()) {
		if err != nil {
			r.err = err
			break
		}
		for _, record := range page.Records {
			r.records[page.Job][string(record)]++
		}
		r.covered[page.Job] = r.covered[page.Job].Union(checkpoints.Of(page.Covered...))
		if onPage != nil {
			onPage(r, page)
		}
	}
	return r
}

// shown is the row's record as the API sends it, and the instant it shows.
type shown struct {
	raw   string
	id    string
	at    instant.Micros
	dated bool
}

// truth requests from the simulator, page by skip and without bounds, for every record:
// the bytes that a walk has to give. It must be called while nothing changes.
func truth(t fataler, sim *apisim.Sim, q api.Query) []shown {
	t.Helper()
	was := sim.Semantics()
	now := was
	now.IgnoreSkip, now.ShuffleTies, now.LowerTake = false, false, 0
	now.TotalOffset, now.TotalRandom, now.TotalCap, now.Latency = 0, 0, 0, 0
	sim.SetSemantics(now)
	defer sim.SetSemantics(was)
	reader := dial(t, sim)
	var all []shown
	for {
		page, err := reader.client.List(context.Background(), q, around(api.MinBound, forever, instant.Day), len(all), api.MaxTake)
		if err != nil {
			t.Fatalf("read the truth: %v", err)
		}
		for _, r := range page.Rows {
			all = append(all, shown{raw: string(r.Raw), id: r.ID, at: r.At, dated: r.Dated})
		}
		if len(all) >= page.Total {
			return all
		}
	}
}

// expect checks that every job has exactly its rows, and all of its interval.
func (r *reading) expect(t fataler, all func(job int) []shown) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("walk: %v", r.err)
	}
	for _, s := range r.walks.Shortfalls() {
		t.Errorf("shortfall %+v", s)
	}
	for i, job := range r.jobs {
		want := map[string]int{}
		for _, s := range all(i) {
			if s.dated && (s.at < instant.Of(job.Interval.From) || (s.at >= instant.Of(job.Interval.To) && !job.Open)) {
				continue
			}
			want[s.raw]++
		}
		if missing, extra := difference(want, r.records[i]); missing+extra != "" {
			t.Errorf("job %d %v: want %d records, got %d; missing %s; too much %s", i, job.Interval, len(want), len(r.records[i]), missing, extra)
		}
		whole := checkpoints.Of(job.Interval)
		if fmt.Sprint(r.covered[i]) != fmt.Sprint(whole) {
			t.Errorf("job %d: covered %v, want %v", i, r.covered[i], whole)
		}
	}
}

func difference(want, got map[string]int) (missing, extra string) {
	for _, record := range slices.Sorted(maps.Keys(want)) {
		if got[record] == 0 {
			missing += brief(record)
		}
	}
	for _, record := range slices.Sorted(maps.Keys(got)) {
		if want[record] == 0 {
			extra += brief(record)
		}
	}
	return missing[:min(len(missing), 400)], extra[:min(len(extra), 400)]
}

func brief(record string) string {
	var fields struct{ ID, Timestamp any }
	_ = json.Unmarshal([]byte(record), &fields)
	return fmt.Sprintf("{%v %v}", fields.ID, fields.Timestamp)
}

// wantKind wants a failure of the API of this kind.
func wantKind(t *testing.T, err error, want api.Kind) {
	t.Helper()
	if kind := api.KindOf(err); kind != want {
		t.Fatalf("error %v has kind %d, want %d", err, kind, want)
	}
}

func between(from, to time.Time) checkpoints.Interval {
	return checkpoints.Interval{From: from, To: to}
}

// rowsAt are alerts at the given times, without texts, which no walk looks at.
func rowsAt(at ...time.Time) []apisim.Row {
	rows := make([]apisim.Row, len(at))
	for i, when := range at {
		rows[i].Timestamp = when
	}
	return rows
}

// spread are n instants from the first on, a step apart.
func spread(first time.Time, n int, step time.Duration) []time.Time {
	at := make([]time.Time, n)
	for i := range at {
		at[i] = first.Add(time.Duration(i) * step)
	}
	return at
}
