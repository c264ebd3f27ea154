package extract

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

func TestUnknownPolicyDoesNotStopTheOthers(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 30, AlertsPerDay: 160})
	known := api.Query{Endpoint: anyPage.Endpoint, PolicyPath: sim.Organisation().Policies[0].ID}
	span := between(noon.AddDate(0, 0, -31), noon)
	r := readAll(dial(t, sim), Job{Query: api.Query{Endpoint: anyPage.Endpoint, PolicyPath: "../nobody"}, Interval: span}, Job{Query: known, Interval: span})
	if r.err != nil || len(r.walks.NotFound()) != 1 || len(r.covered[0]) != 0 {
		t.Errorf("error %v, not found %v, covered %v", r.err, r.walks.NotFound(), r.covered[0])
	}
	wantKind(t, r.walks.NotFound()[0], api.NotFound)
	if len(r.records[1]) == 0 || len(r.covered[1]) != 1 {
		t.Errorf("%d records, covered %v", len(r.records[1]), r.covered[1])
	}
}

func TestMissingEndpointIsAFailure(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Now: noon, Semantics: apisim.Semantics{NoViolations: true}})
	r := readAll(dial(t, sim), Job{Query: api.Query{Endpoint: "/policy/violations"}, Interval: between(noon.Add(-time.Hour), noon)})
	wantKind(t, r.err, api.NotFound)
}

// TestTheFirstFailureEndsAllWalks and leaves what was covered before honest.
func TestTheFirstFailureEndsAllWalks(t *testing.T) {
	for _, from := range []int{1, 2, 3, 4, 9, 20} {
		sim := uniform(3000)
		all := truth(t, sim, anyPage)
		before := sim.RequestCount()
		sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 401, From: from})
		r := readAll(dial(t, sim, connections(8)), Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon)})
		wantKind(t, r.err, api.Unauthorized)
		r.honest(t, all)
		if n := sim.RequestCount() - before; n > from+8 {
			t.Errorf("failing from request %d: %d requests", from, n)
		}
	}
}

func TestAReaderMayStop(t *testing.T) {
	sim := uniform(5000)
	reader := dial(t, sim, connections(8))
	for stop := range 5 {
		walks, pages := reader.Walk([]Job{{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon)}}), 0
		for range walks.Pages(context.Background()) {
			if pages++; pages > stop {
				break
			}
		}
	}
}

func TestCancelInTheMiddle(t *testing.T) {
	for _, at := range []int{1, 2, 5, 20} {
		sim := uniform(20_000)
		ctx, cancel := context.WithCancel(context.Background())
		sim.SetOnRequest(func(_ *http.Request, n int) {
			if n == at {
				cancel()
			}
		})
		var last error
		for _, err := range dial(t, sim, connections(8)).Walk([]Job{{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon)}}).Pages(ctx) {
			last = err
		}
		if !errors.Is(last, context.Canceled) || sim.RequestCount() > at+8 {
			t.Errorf("cancelled at %d: %d requests, error %v", at, sim.RequestCount(), last)
		}
		cancel()
	}
}

func TestExpected(t *testing.T) {
	for _, n := range []int{0, 50, 15_000} {
		sim := uniform(max(n, 1))
		if n == 0 {
			sim = apisim.New(apisim.Options{NoGzip: true, Now: noon})
		}
		r := readAll(dial(t, sim, connections(8)), Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -91), noon)})
		if r.err != nil || r.walks.Expected() != n {
			t.Errorf("%d rows, expected %d, %v", n, r.walks.Expected(), r.err)
		}
	}
}

// A mistake of ours in one walk is a failure of its stream, and no end of the
// program.
func TestAPanicIsAFailureOfTheStream(t *testing.T) {
	sim := apisim.New(apisim.Options{NoGzip: true, Seed: 5, Now: noon, Days: 2, AlertsPerDay: 500})
	reader := dial(t, sim, func(o *api.Options) { o.Token = func(context.Context) (string, error) { panic("Ada Lovelace") } })
	r := readAll(reader, Job{Query: anyPage, Interval: between(noon.AddDate(0, 0, -3), noon)})
	if r.err == nil || !strings.Contains(r.err.Error(), "internal error: ") || strings.Contains(r.err.Error(), "Lovelace") {
		t.Errorf("%v", r.err)
	}
}
