package extract

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/race"
)

// A run that finds nothing new sends one request for the clock and the resolution, and
// each row of the lookback once. Neighbouring pages share a row, so a page gives
// 99: that stays within rows / 100 + 3 up to 10,098 rows.
func TestALookbackNeedsFewRequests(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{0, 1, 50, 99, 100, 101, 150, 198, 199, 200, 990, 1000, 1990, 2000, 5000, 7777, 9900, 10_000, 20_010} {
		if race.Enabled && rows > 2000 {
			continue
		}
		for _, n := range []int{1, 8, 16} {
			t.Run(fmt.Sprintf("%d rows, %d connections", rows, n), func(t *testing.T) {
				t.Parallel()
				sim, from := distinct(rows), noon.Add(-48*time.Hour)
				reader := dial(t, sim, connections(n))
				job := Job{Query: anyPage, Interval: between(from, noon), Open: true}
				requestFirst(t, reader, sim, from)
				r := readSparing(reader, job)
				requests := sim.RequestCount()
				all := truth(t, sim, anyPage)
				r.expect(t, func(int) []shown { return all })
				limit := rows/100 + 3
				if rows > 10_098 {
					limit = (rows-1)/99 + 2
				}
				if requests > limit {
					t.Errorf("%d requests, limit %d", requests, limit)
				}
			})
		}
	}
}

// requestFirst sends what a run sends first.
func requestFirst(t *testing.T, reader *Reader, sim *apisim.Sim, from time.Time) {
	t.Helper()
	seen, requested, err := Glimpse{}, false, error(nil)
	if rows := sim.Alerts(); len(rows) > 0 {
		seen, requested, err = reader.Probe(context.Background(), anyPage, rows[len(rows)/2].Timestamp)
	}
	if !requested {
		seen, err = reader.Peek(context.Background(), anyPage, from)
	}
	if err != nil || !seen.Now.Equal(noon) {
		t.Fatalf("%+v, %v", seen, err)
	}
}

// distinct are rows at random, each in a millisecond of its own, over two days.
func distinct(n int) *apisim.Sim {
	dice, picked := rand.New(rand.NewPCG(uint64(n), 7)), map[int]bool{}
	for len(picked) < n {
		picked[dice.IntN(48*3600*1000)] = true
	}
	var at []time.Time
	for _, ms := range slices.Sorted(maps.Keys(picked)) {
		at = append(at, noon.Add(-48*time.Hour).Add(time.Duration(ms)*time.Millisecond))
	}
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon})
	sim.AddAlerts(rowsAt(at...)...)
	return sim
}

// A row that is gone, or that a coarser source does not find, shows no resolution; one
// on a whole second is not requested.
func TestProbeLearnsTheResolutionOrNothing(t *testing.T) {
	at := noon.Add(-time.Hour).Add(123 * time.Millisecond)
	for _, c := range []struct {
		name      string
		m         apisim.Semantics
		at        time.Time
		requested bool
		known     bool
	}{
		{"there", apisim.Semantics{}, at, true, true},
		{"exclusive", apisim.Semantics{FromExclusive: true, ToExclusive: true}, at, true, true},
		{"gone", apisim.Semantics{}, at.Add(time.Minute), true, false},
		{"seconds", apisim.Semantics{Resolution: apisim.TruncatedSecond}, at, true, false},
		{"days", apisim.Semantics{Resolution: apisim.TruncatedDay}, at, true, false},
		{"whole second", apisim.Semantics{}, at.Truncate(time.Second), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: c.m})
			sim.AddAlerts(rowsAt(at)...)
			reader := dial(t, sim)
			seen, requested, err := reader.Probe(context.Background(), anyPage, c.at)
			if err != nil || requested != c.requested || requested != seen.Now.Equal(noon) {
				t.Errorf("%+v, %v, %v", seen, requested, err)
			}
			if resolution, err := reader.resolution(context.Background(), anyPage, nil); err != nil || (resolution != 0) != c.known {
				t.Errorf("resolution %v, %v", resolution, err)
			}
		})
	}
}

func TestPeek(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 9, AlertsPerDay: 100, Semantics: apisim.Semantics{DateSkew: -time.Hour}})
	seen, err := dial(t, sim).Peek(context.Background(), anyPage, noon.AddDate(0, 0, -10))
	if err != nil || !seen.Now.Equal(noon.Add(-time.Hour)) || seen.Total != sim.Len(apisim.Alerts) || !seen.Newest.Equal(sim.Alerts()[len(sim.Alerts())-1].Timestamp) {
		t.Errorf("%+v, %v", seen, err)
	}
	sim.SetSemantics(apisim.Semantics{NoDate: true})
	if seen, err = dial(t, sim).Peek(context.Background(), anyPage, noon); err != nil || !seen.Now.Equal(noon) {
		t.Errorf("without a Date header: %+v %v", seen, err)
	}
}
