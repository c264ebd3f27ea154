package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// One byte is another. DuckDB may notice when it opens the file, when it reads
// the block, or, in a block that nobody uses, never; and what it does not notice
// must not be published.
func TestAFlippedByteIsNeverPublished(t *testing.T) {
	t.Parallel()
	long(t)
	offsets := []int64{0, 8, 12, 100, 4096, 4104, 4110, 4130, 8192, 8200, 8210, 8230, 3 * 4096, 3*4096 + 8, 3*4096 + block}
	flipBytes(t, newDamaged(t, newWorld(t, 14)), offsets, 10)
}

// A table of more rows than DuckDB keeps in one group (122,880): a run reads only
// the newest of them, and would copy the others unseen.
func TestAFlippedByteInOldHistoryIsNeverPublished(t *testing.T) {
	t.Parallel()
	long(t)
	w := worldOf(t, "2026-01-01", apisim.Options{Seed: 15, Days: 60, AlertsPerDay: 2200, ViolationsPerDay: 80})
	flipBytes(t, newDamaged(t, w), nil, 4)
}

// flipBytes flips each of the bytes, and some at random.
func flipBytes(t *testing.T, d *damaged, offsets []int64, more int) {
	t.Helper()
	file, err := os.Stat(d.base + "/state/warehouse.duckdb")
	if err != nil {
		t.Fatal(err)
	}
	if exhaustive() {
		more = 300
	}
	seed := uint64(fromEnv(t, "TORTURE_SEED", 5))
	dice := rand.New(rand.NewPCG(seed, 0))
	for range more {
		offsets = append(offsets, dice.Int64N(file.Size()))
	}
	outcomes := map[string]int{}
	for _, offset := range offsets {
		t.Run(fmt.Sprint(offset), func(t *testing.T) { outcomes[d.flipped(t, offset)]++ })
	}
	t.Logf("of %d bytes, TORTURE_SEED=%d: %v", len(offsets), seed, outcomes)
}

// flipped runs with one byte flipped and says what came of it.
func (d *damaged) flipped(t *testing.T, offset int64) (outcome string) {
	t.Helper()
	d.spoil(t, func(path string) error { return flip(path, offset) })
	before := sumOf(t, d.private())
	r := d.run("sync")
	said := complaint(r.stderr)
	untouched := sumOf(t, d.private()) == before
	unreadable := d.readable()
	if r.code != 0 && unreadable != nil {
		t.Errorf("exit %d, and a reader was disturbed: %v\n%s", r.code, unreadable, said)
	}
	switch {
	case crashed(r):
		t.Errorf("it crashed: exit %d\n%.600s", r.code, said)
		return "crashed"
	case r.code == 0:
		if err := errors.Join(unreadable, d.judge()); err != nil {
			t.Errorf("exit 0, but what was published is damaged: %.300v", err)
			return "exit 0, damage published"
		}
		return "not noticed, and right"
	case r.code != 6 && r.code != 8:
		t.Errorf("exit %d, want 8\n%s", r.code, said)
		return fmt.Sprint("exit ", r.code)
	case r.code == 8 && !untouched:
		t.Errorf("exit 8, but the file was changed\n%s", said)
	case !toldClearly(said):
		t.Errorf("not one line and a hint:\n%s", said)
	}
	if r.code == 6 {
		t.Errorf("damage is taken for trouble with the disk:\n%s", said)
	}
	return fmt.Sprintf("exit %d, untouched %v", r.code, untouched)
}

func flip(path string, offset int64) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	one := make([]byte, 1)
	_, err = file.ReadAt(one, offset)
	if err == nil {
		one[0] ^= 0xff
		_, err = file.WriteAt(one, offset)
	}
	return errors.Join(err, file.Close())
}
