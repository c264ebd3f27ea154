package api

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// observed gathers the attempts of a client.
type observed struct {
	mu  sync.Mutex
	all []Attempt
}

func (o *observed) options(c *Options) {
	c.Observe = func(a Attempt) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, a)
	}
}

func TestEveryRequestIsObservedOnce(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 6, Now: noon, Days: 20, AlertsPerDay: 150})
	sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 502, Probability: 0.2})
	sim.Inject(apisim.Fault{Kind: apisim.FaultTruncate, Probability: 0.2})
	seen := &observed{}
	client := dial(t, sim, seen.options, func(o *Options) { o.Retries = 30 })
	if _, err := readAll(client); err != nil {
		t.Fatal(err)
	}
	if len(seen.all) != sim.RequestCount() || int64(len(seen.all)) != client.Requests() {
		t.Errorf("%d observed of %d requests", len(seen.all), sim.RequestCount())
	}
	statuses, retries := map[int]int{}, int64(0)
	for _, a := range seen.all {
		statuses[a.Status]++
		if a.Retry {
			retries++
		}
		if a.Endpoint != "/policy/alerts" || a.Started.IsZero() || a.Took <= 0 || a.Took > time.Minute {
			t.Fatalf("attempt %+v", a)
		}
	}
	if statuses[200] == 0 || statuses[502] == 0 || len(statuses) != 2 || retries == 0 || retries != client.Retries() {
		t.Errorf("statuses %v, %d retries of %d", statuses, retries, client.Retries())
	}
}

func TestARequestWithoutAnAnswerIsObserved(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon, Days: 1, AlertsPerDay: 10})
	sim.Inject(apisim.Fault{Kind: apisim.FaultReset, AfterBytes: -1})
	seen := &observed{}
	_ = peekAt(dial(t, sim, seen.options, func(o *Options) { o.Retries = 1 }))
	want := []Attempt{{Endpoint: "/policy/alerts"}, {Endpoint: "/policy/alerts", Retry: true}}
	if diff := cmp.Diff(want, seen.all, cmpopts.IgnoreFields(Attempt{}, "Started", "Took")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAttemptsShowNoIDs(t *testing.T) {
	sim := apisim.New(apisim.Options{Seed: 5, Now: noon, Days: 1, AlertsPerDay: 10})
	sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 404})
	seen := &observed{}
	client := dial(t, sim, seen.options)
	for _, q := range []Query{{Endpoint: "/policy/alerts"}, {Endpoint: "/policy/violations", PolicyID: "secret-id"}, {Endpoint: "/policy/violations", PolicyPath: "secret-id"}} {
		_, _ = client.List(context.Background(), q, recent, 0, 1)
	}
	_, _ = client.Stats(context.Background(), StatsQuery{Endpoint: "/v2/stats/policies", Scope: "repo", ID: "secret-id"})
	want := []Attempt{
		{Endpoint: "/policy/alerts", Status: 404},
		{Endpoint: "/policy/violations", Status: 404},
		{Endpoint: "/policy/{policyId}/violations", Status: 404},
		{Endpoint: "/v2/stats/policies", Status: 404},
	}
	if diff := cmp.Diff(want, seen.all, cmpopts.IgnoreFields(Attempt{}, "Started", "Took")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestARequestWithANewTokenIsObserved(t *testing.T) {
	sim := apisim.New(apisim.Options{Now: noon, Days: 1, AlertsPerDay: 10})
	sim.Inject(apisim.Fault{Kind: apisim.FaultStatus, Status: 401})
	seen, given := &observed{}, 0
	client := dial(t, sim, seen.options, func(o *Options) {
		o.Token = func(context.Context) (string, error) {
			given++
			return []string{"secret", "secret2"}[min(given, 2)-1], nil
		}
	})
	_ = peekAt(client)
	want := []Attempt{{Endpoint: "/policy/alerts", Status: 401}, {Endpoint: "/policy/alerts", Status: 401, Retry: true}}
	if diff := cmp.Diff(want, seen.all, cmpopts.IgnoreFields(Attempt{}, "Started", "Took")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
