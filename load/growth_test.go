package load_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// What a run rewrites leaves blocks behind that later runs fill again, so that the
// file, and the copy that is published, stays a small multiple of what it holds.
func TestTheFileDoesNotGrowWithWhatIsRewritten(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	dice := rand.New(rand.NewPCG(1, 2))
	w := open(t, dir)
	at := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }
	const runs = 30 // each of which changes a tenth of the rows
	for i := range runs {
		id := fmt.Sprint("run-", i)
		var changed []alert
		for n := range 10_000 {
			if i == 0 || dice.IntN(10) == 0 {
				changed = append(changed, alert{fmt.Sprint(n), at(n), fmt.Sprint("text ", dice.Uint64(), dice.Uint64(), dice.Uint64())})
			}
		}
		if err := w.StartRun(ctx, id, []string{"alerts"}, at(i)); err != nil {
			t.Fatal(err)
		}
		commit(t, w, id, batch(t, changed...), load.Coverage{
			Key: checkpoints.Key{Stream: "alerts", Filter: "{}"}, Status: checkpoints.Covered,
			Set: checkpoints.Of(checkpoints.Interval{From: epoch, To: at(10_000 + i)}),
		})
		if _, err := w.Dedupe(ctx, id, schema.Alerts()); err != nil {
			t.Fatal(err)
		}
		retain(t, w, load.Keep{Runs: 5 * time.Minute}, at(i))
		if err := w.CloseFile(ctx); err != nil {
			t.Fatal(err)
		}
		if err := w.Reopen(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size, compact := sizeOf(t, load.File(dir)), sizeOf(t, compacted(t, dir)); size > 3*compact {
		t.Errorf("%d bytes after %d runs; a fresh copy has %d", size, runs, compact)
	}
}

// compacted is a fresh copy of the warehouse.
func compacted(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "compact.duckdb")
	db, err := duckdb.Open(path, duckdb.Session{Attach: map[string]string{"warehouse": load.File(dir)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("COPY FROM DATABASE warehouse TO compact; CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
