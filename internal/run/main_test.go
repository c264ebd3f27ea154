package run_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/race"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/schema"
)

func TestMain(m *testing.M) {
	setDefaults()
	dir, err := os.MkdirTemp("", "states-")
	if err != nil {
		panic(err)
	}
	states.dir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// setDefaults sets what a person did not choose: more tests at once than there are cores,
// since they wait for the disk most of the time; and few and short examples of a property, since each
// is a story of many runs.
func setDefaults() {
	flag.Parse()
	values := map[string]string{"test.parallel": "8", "rapid.checks": "3", "rapid.steps": "15"}
	flag.Visit(func(f *flag.Flag) { delete(values, f.Name) })
	for name, value := range values {
		_ = flag.Set(name, value)
	}
}

// Names of the streams.
const (
	alerts      = "alerts"
	violations  = "violations"
	policyStats = "policy_stats"
)

const (
	day      = 24 * time.Hour
	lookback = 48 * time.Hour
)

var noon = time.Date(2026, 3, 18, 12, 34, 56, 0, time.UTC) // a Wednesday

// small is an organisation of some hundred rows.
func small() apisim.Options {
	return apisim.Options{Seed: 7, Now: noon, Days: 3, AlertsPerDay: 120, ViolationsPerDay: 80}
}

// tester is what a test and a property have in common.
type tester interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// world is a simulated source, a client that asks it, and a data_dir.
type world struct {
	t      tester
	sim    *apisim.Sim
	url    string
	client run.Source
	dir    string
	start  time.Time

	// skew is how far our own clock is ahead of the source's; step is how much
	// it moves on each time it is looked at. A long step makes every page a
	// commit of its own.
	skew, step time.Duration
	looked     atomic.Int64
	onNow      func()
	runs       int
	warnings   []string
}

// unraced are the tests that are not run under the race detector: each makes dozens of runs.
// make test runs them without it.
var unraced = regexp.MustCompile(`^Test[^/]*(Forget|Forgotten|Expire|Privacy)`)

func newWorld(t testing.TB, o apisim.Options) *world {
	t.Helper()
	if race.Enabled && unraced.MatchString(t.Name()) {
		t.Skip("it is run without the race detector")
	}
	w, end := makeWorld(t, t.TempDir(), o)
	t.Cleanup(end)
	return w
}

// makeWorld makes one that the caller ends.
func makeWorld(t tester, dir string, o apisim.Options) (w *world, end func()) {
	t.Helper()
	w = &world{t: t, sim: apisim.New(o), dir: dir, step: time.Microsecond}
	w.start = w.sim.Now().AddDate(0, 0, -o.Days-1).Truncate(day)
	var stop func()
	w.url, stop = w.sim.Start()
	client, err := api.New(api.Options{
		BaseURL: w.url, MaxConcurrency: 4, Retries: 2, Backoff: time.Millisecond, Timeout: 20 * time.Second,
		UserAgent: "test", Now: w.now,
		Token: func(context.Context) (string, error) { return "any", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.client = run.NewSource(client)
	return w, func() { client.Close(); stop() }
}

func (w *world) now() time.Time {
	n := w.looked.Add(1)
	if w.onNow != nil {
		w.onNow()
	}
	return w.sim.Now().Add(w.skew + time.Duration(n)*w.step)
}

// options sync the named streams, or alerts and violations.
func (w *world) options(names ...string) run.Options {
	if len(names) == 0 {
		names = []string{alerts, violations}
	}
	o := run.Options{
		Version: "test", DataDir: w.dir, PublishDuckDB: true, Compression: "none", Now: w.now, Verify: audit.VerifyTotals,
		Observe: func(e run.Event) {
			if e.Kind == run.Warned {
				w.warnings = append(w.warnings, e.Stream+": "+e.Message)
			}
		},
	}
	for _, name := range names {
		if name == policyStats {
			o.Stats = &streams.Stats{Stream: schema.StreamByName("policy_stats"), Start: w.start, Bucket: "1h", Scopes: []streams.Scope{{Scope: "org"}}}
			continue
		}
		o.Lists = append(o.Lists, streams.List{
			Query: api.Query{Endpoint: schema.StreamByName(name).Endpoint}, Start: w.start, Lookback: lookback,
		})
	}
	return o
}

// sync runs once and checks that every stream's figures add up.
func (w *world) sync(ctx context.Context, o run.Options) (*run.Summary, error) {
	w.t.Helper()
	w.runs++
	o.RunID = fmt.Sprintf("run-%03d", w.runs)
	summary, err := run.Run(ctx, o, w.client)
	for name, r := range summary.Streams {
		if r.Received != r.Inserted+r.Updated+r.Unchanged+r.Duplicate+r.Rejected+r.Withheld {
			w.t.Errorf("%s, %s: %d rows received are not the sum of %d inserted, %d updated, %d unchanged, %d duplicate, %d rejected (%v)",
				o.RunID, name, r.Received, r.Inserted, r.Updated, r.Unchanged, r.Duplicate, r.Rejected, r.Err)
		}
	}
	return summary, err
}

// mustSync runs once and wants no trouble at all.
func (w *world) mustSync(o run.Options) *run.Summary {
	w.t.Helper()
	summary, err := w.sync(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, r := range summary.Streams {
		if r.Err != nil || !r.Complete {
			w.t.Fatalf("%s: complete %v, %v", name, r.Complete, r.Err)
		}
	}
	if summary.Status != "ok" {
		w.t.Fatalf("status %q", summary.Status)
	}
	return summary
}

// requests are what the stream was asked since the log was reset.
func (w *world) requests(stream apisim.Stream) []apisim.Request {
	var out []apisim.Request
	for _, r := range w.sim.Requests() {
		if r.Stream == stream {
			out = append(out, r)
		}
	}
	return out
}

// since counts the stream's rows from an instant on.
func (w *world) since(stream apisim.Stream, from time.Time) (n int64) {
	for _, row := range w.sim.Rows(stream) {
		if !row.Timestamp.Before(from) {
			n++
		}
	}
	return n
}

func (w *world) add(stream apisim.Stream, at time.Time, n int) []string {
	rows := make([]apisim.Row, n)
	for i := range rows {
		rows[i] = w.sim.NewRow(stream, at.Add(time.Duration(i)*time.Second), i)
	}
	return w.sim.Add(stream, rows...)
}

func ptr[T any](v T) *T { return &v }
