package torture

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// A generation of kills begins with an empty folder, so that the making of the
// warehouse is hit too.
const generation = 50

func TestKilledAtRandomInstantsItLosesNothing(t *testing.T) {
	t.Parallel()
	kills := fromEnv(t, "TORTURE_KILLS", 200)
	if testing.Short() {
		kills = 20
	}
	seed := uint64(fromEnv(t, "TORTURE_SEED", int(time.Now().UnixNano()%1e9)))
	t.Logf("%d kills, TORTURE_SEED=%d", kills, seed)
	began := time.Now()
	var mu sync.Mutex
	var total tally
	t.Run("generations", func(t *testing.T) {
		for done, n := 0, seed; done < kills; done, n = done+generation, n+1 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				one := killGeneration(t, n, min(generation, kills-done))
				mu.Lock()
				defer mu.Unlock()
				total.add(one)
			})
		}
	})
	t.Logf("%d runs killed, %d ended before, %d clean runs, %d reads, in %v", total.killed, total.ended, total.clean, total.reads, time.Since(began).Round(time.Second))
	if total.torn > 1+kills/500 {
		t.Errorf("%d kills tore a block", total.torn)
	}
	if total.reads < kills/2 {
		t.Errorf("%d reads prove little", total.reads)
	}
}

// tally counts what a generation saw.
type tally struct{ killed, ended, clean, reads, torn int }

func (t *tally) add(u tally) {
	t.killed, t.ended, t.clean, t.reads, t.torn = t.killed+u.killed, t.ended+u.ended, t.clean+u.clean, t.reads+u.reads, t.torn+u.torn
}

// rebuilt rebuilds a warehouse in which a kill tore a block. DuckDB rewrites blocks of
// metadata in place, and a kill can end the system call in the middle (ADR 11): that is damage,
// and nothing else is. Nothing may be lost by it.
func (w *world) rebuilt(r result) bool {
	w.t.Helper()
	if !strings.Contains(r.stderr, "computed checksum") {
		w.t.Errorf("exit 8 after a kill:\n%s", r.stderr)
		return false
	}
	w.t.Logf("a kill tore a block: %s", r.stderr)
	if again := w.run("repair", "--rebuild"); again.code != 0 {
		w.t.Errorf("rebuild after a torn block: exit %d\n%s", again.code, again.stderr)
		return false
	}
	w.equalsTruth()
	return true
}

// killGeneration kills runs at random instants. After a few of them one is left
// alone, and judged.
func killGeneration(t *testing.T, seed uint64, kills int) (n tally) {
	dice := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t, seed)
	end := w.readers()
	defer func() { n.reads = end() }()
	usual := 150 * time.Millisecond // until a run was measured
	for !t.Failed() {
		w.change(dice)
		if n.killed == kills || dice.IntN(8) == 0 {
			r, alone := w.syncAlone()
			switch {
			case alone && r.code == 8 && w.rebuilt(r):
				n.torn++
				continue
			case alone && r.code != 0:
				t.Errorf("a run that was left alone: exit %d\n%s", r.code, r.stderr)
			}
			if !alone { // somebody else killed it: a kill like any other
				n.killed = min(n.killed+1, kills-1)
				continue
			}
			w.equalsTruth()
			usual = (usual + r.took) / 2
			n.clean++
			if n.killed == kills {
				return n
			}
			continue
		}
		p := w.start("sync")
		timer := time.AfterFunc(time.Duration(dice.Int64N(int64(usual))), func() { _ = p.Process.Kill() })
		switch r := w.end(p); r.code {
		case -1:
			n.killed++
		case 0:
			n.ended++
			usual = (usual + r.took) / 2
		case 8:
			if w.rebuilt(r) {
				n.torn++
			}
		default:
			t.Errorf("after %d kills, seed %d: exit %d\n%s", n.killed, seed, r.code, r.stderr)
		}
		timer.Stop()
	}
	return n
}
