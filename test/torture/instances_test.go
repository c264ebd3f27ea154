package torture

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// The source answers nobody until all others have ended: no clock decides who is
// the one that runs.
func TestOfAHundredInstancesOneRuns(t *testing.T) {
	long(t)
	const instances = 100
	w := newWorld(t, 12)
	asked, answer := make(chan struct{}), make(chan struct{})
	w.sim.SetOnRequest(func(_ *http.Request, n int) {
		if n == 1 {
			close(asked)
		}
		<-answer
	})
	type ended struct {
		result
		at time.Time
	}
	results := make(chan ended, instances)
	var group sync.WaitGroup
	began := time.Now()
	for range instances {
		p := w.start("sync")
		group.Go(func() { results <- ended{w.end(p), time.Now()} })
	}
	started := time.Since(began)
	var losers []time.Duration
	for range instances - 1 {
		select {
		case r := <-results:
			if r.code != 7 || !toldClearly(complaint(r.stderr)) {
				t.Errorf("exit %d, want 7\n%s", r.code, r.stderr)
			}
			losers = append(losers, r.took)
		case <-time.After(patience):
			t.Fatalf("only %d of %d ended while one ran", len(losers), instances-1)
		}
	}
	select {
	case <-asked:
	case <-time.After(patience):
		t.Error("nobody runs")
	}
	if n := w.sim.RequestCount(); n != 1 {
		t.Errorf("the source was asked %d times, once is for the one that runs", n)
	}
	close(answer)
	if r := <-results; r.code != 0 {
		t.Errorf("the one that runs: exit %d\n%s", r.code, r.stderr)
	}
	group.Wait()
	w.equalsTruth()
	slices.Sort(losers)
	median, last := losers[len(losers)/2], losers[len(losers)-1]
	t.Logf("started in %v; the others ended after %v, at most %v", started, median, last)
	if median > 5*time.Second {
		t.Errorf("the others took %v to end", median)
	}
}
