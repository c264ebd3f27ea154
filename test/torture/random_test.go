package torture

import (
	"math/rand/v2"
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
	var total tally
	for n := uint64(0); total.killed < kills && !t.Failed(); n++ {
		total.add(killGeneration(t, seed+n, min(generation, kills-total.killed)))
	}
	t.Logf("%d runs killed, %d ended before, %d clean runs, %d reads, in %v", total.killed, total.ended, total.clean, total.reads, time.Since(began).Round(time.Second))
	if total.reads < kills/2 {
		t.Errorf("%d reads prove little", total.reads)
	}
}

// tally counts what a generation saw.
type tally struct{ killed, ended, clean, reads int }

func (t *tally) add(u tally) {
	t.killed, t.ended, t.clean, t.reads = t.killed+u.killed, t.ended+u.ended, t.clean+u.clean, t.reads+u.reads
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
			r, alone := w.sync()
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
		default:
			t.Errorf("after %d kills, seed %d: exit %d\n%s", n.killed, seed, r.code, r.stderr)
		}
		timer.Stop()
	}
	return n
}
