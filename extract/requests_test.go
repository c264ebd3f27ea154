package extract

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

// uniform are rows at even distances over the last 90 days.
func uniform(n int) *apisim.Sim {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
	step := 90 * 24 * time.Hour / time.Duration(n)
	sim.AddAlerts(rowsAt(spread(noon.Add(-90*24*time.Hour), n, step.Truncate(time.Microsecond))...)...)
	return sim
}

// lean checks the requests of a walk: how many there were and their parameters.
func lean(t *testing.T, sim *apisim.Sim, limit int) {
	t.Helper()
	requests := sim.Requests()
	t.Logf("%d requests, limit %d", len(requests), limit)
	if len(requests) > limit {
		t.Errorf("%d requests, limit %d", len(requests), limit)
	}
	for _, r := range requests {
		if take, err := strconv.Atoi(r.Query.Get("take")); err != nil || take > 100 || len(r.Unknown) > 0 || r.Status != 200 {
			t.Fatalf("request %+v", r)
		}
	}
}

// A backfill by 16 connections needs few requests beyond its pages, too.
func TestFewRequestsOfABackfill(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("nothing here depends on timing")
	}
	sim := uniform(200_000)
	r := readAll(dial(t, sim, connections(16)), Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon), Open: true})
	if distinct := len(r.records[0]); r.err != nil || distinct != 200_000 {
		t.Errorf("%d rows, %v", distinct, r.err)
	}
	lean(t, sim, 2060) // how often it is split depends on timing
}

// At most 1.02 requests for a page's worth of rows, however many connections.
func TestFewRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		rows, limit int
		start       time.Time
	}{
		{"20,000 rows", 20_000, 204, noon.AddDate(0, 0, -91)},
		{"20,000 rows, history begins later", 20_000, 204, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"50,000 rows", 50_000, 510, noon.AddDate(0, 0, -91)},
		{"100,000 rows, history begins later", 100_000, 1020, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if race.Enabled && (c.rows > 20_000 || c.start.Year() == 2024) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			sim := uniform(c.rows)
			reader := dial(t, sim, connections(16))
			job := Job{Query: anyPage, Interval: between(c.start, noon), Open: true}
			r := readSparing(reader, job)
			distinct := len(r.records[0])
			if r.err != nil || distinct != c.rows || len(r.walks.Shortfalls()) > 0 {
				t.Errorf("%d of %d rows, error %v, shortfalls %v", distinct, c.rows, r.err, r.walks.Shortfalls())
			}
			if len(r.covered[0]) != 1 || r.covered[0][0] != job.Interval {
				t.Errorf("covered %v", r.covered[0])
			}
			lean(t, sim, c.limit)
		})
	}
}

func TestSecondRunNeedsOneRequestForFewRows(t *testing.T) {
	sim := uniform(20_000)
	reader := dial(t, sim, connections(8))
	for range 2 {
		sim.ResetRequests()
		readSparing(reader, Job{Query: anyPage, Interval: between(noon.Add(-3*time.Hour), noon), Open: true})
	}
	lean(t, sim, 1)
}

// A walk between two bounds requests nothing outside them, if a row was seen before that
// shows the resolution.
func TestAWalkBetweenTwoBoundsStaysWithinThem(t *testing.T) {
	sim := uniform(20_000)
	reader := dial(t, sim)
	query := anyPage
	if _, err := reader.Peek(t.Context(), query, noon.AddDate(0, 0, -1)); err != nil {
		t.Fatal(err)
	}
	sim.ResetRequests()
	within := between(noon.AddDate(0, 0, -10), noon.AddDate(0, 0, -7))
	if r := readAll(reader, Job{Query: query, Interval: within}); r.err != nil || len(r.records[0]) == 0 {
		t.Fatalf("%d rows, %v", len(r.records[0]), r.err)
	}
	for _, r := range sim.Requests() {
		if r.Query.Get("take") == "1" { // the row that was seen
			continue
		}
		from, err := time.Parse(time.RFC3339Nano, r.Query.Get("from"))
		if err != nil {
			t.Fatal(err)
		}
		if from.Before(within.From.Add(-time.Second)) {
			t.Errorf("request from %s", from)
		}
	}
}

// TestWallTime is a measurement, not a check.
func TestWallTime(t *testing.T) {
	if os.Getenv("EXTRACT_WALL_TIME") == "" {
		t.Skip("set EXTRACT_WALL_TIME to measure")
	}
	const latency = 20 * time.Millisecond
	for _, n := range []int{20_000, 100_000} {
		sim := uniform(n)
		sim.SetSemantics(apisim.Semantics{Latency: latency})
		reader := dial(t, sim, connections(8))
		began := time.Now()
		readSparing(reader, Job{Query: anyPage, Interval: between(noon.AddDate(-2, 0, 0), noon), Open: true})
		ideal := time.Duration(n/100) * latency / 8
		t.Logf("%d rows: %d requests, %v, ideal %v, ratio %.2f", n, sim.RequestCount(), time.Since(began), ideal, float64(time.Since(began))/float64(ideal))
	}
}
