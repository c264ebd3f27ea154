package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

var monday = time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)

// A file that was prepared is installed only if its day has not changed since. That
// it would be installed otherwise shows that it was there.
func TestAPreparedFileIsInstalledUnlessItsDayChanged(t *testing.T) {
	for name, c := range map[string]struct {
		told bool
		rows int64
	}{"told": {true, 2}, "not_told": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			ctx, dir, table := context.Background(), t.TempDir(), schema.Alerts()
			w, err := load.Open(ctx, load.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			options := lake.Options{Dir: filepath.Join(dir, "lake"), Compression: "zstd", Now: monday}
			p := startPreparer(ctx, options)
			commitOne(t, w, "a")
			p.touch(table, w.Touched(table))
			from, err := w.Beside(ctx)
			if err != nil {
				t.Fatal(err)
			}
			p.add(table, []time.Time{monday}, from)
			for taken := false; !taken; time.Sleep(time.Millisecond) {
				p.mu.Lock()
				taken = len(p.queue) == 0
				p.mu.Unlock()
			}
			if c.told { // what the worker reads before or after does not matter
				commitOne(t, w, "b")
				p.touch(table, w.Touched(table))
			}
			if options.Prepared, err = p.stop(); err != nil {
				t.Fatal(err)
			}
			if !c.told {
				commitOne(t, w, "b")
			}
			if _, err := lake.Publish(ctx, options, w); err != nil {
				t.Fatal(err)
			}
			manifest, err := lake.ReadManifest(options.Dir)
			if err != nil || len(manifest.Files) != 1 || manifest.Files[0].Rows != c.rows {
				t.Errorf("%+v, %v", manifest, err)
			}
		})
	}
}

func commitOne(t *testing.T, w *load.Warehouse, id string) {
	t.Helper()
	commitAt(t, w, id, monday.Add(12*time.Hour))
}

func commitAt(t *testing.T, w *load.Warehouse, id string, at time.Time) {
	t.Helper()
	batch := transform.NewBatch(schema.Alerts(), memory.DefaultAllocator)
	defer batch.Release()
	record := fmt.Sprintf(`{"id":%q,"policy_id":"p","policy_name":"p","timestamp":%q,"message":"m"}`, id, at.Format(time.RFC3339))
	if outcome := batch.Add([]byte(record)); outcome != transform.Added {
		t.Fatal(outcome)
	}
	built := batch.Build()
	defer built.Release()
	_, err := w.Commit(context.Background(), load.Commit{RunID: "run", Stream: "alerts", Rows: parcel{built: []*transform.Built{built}}.rows()})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADayIsWholeWhenTheLedgerCoversIt(t *testing.T) {
	key := checkpoints.Key{Stream: "alerts", Filter: "{}"}
	covered := func(from, to time.Duration) []load.Coverage {
		set := checkpoints.Of(checkpoints.Interval{From: monday.Add(from), To: monday.Add(to)})
		return []load.Coverage{{Key: key, Status: checkpoints.Covered, Set: set}}
	}
	d := &readiness{key: key, start: monday.Add(6 * time.Hour), dirty: map[time.Time]bool{}}
	if whole := d.committed([]time.Time{monday}, covered(12*time.Hour, 24*time.Hour)); len(whole) != 0 {
		t.Errorf("half a day is %v", whole)
	}
	if whole := d.committed(nil, []load.Coverage{{Key: checkpoints.Key{Stream: "alerts", Filter: "other"}, Status: checkpoints.Covered, Set: covered(0, 48*time.Hour)[0].Set}}); len(whole) != 0 {
		t.Errorf("another filter makes %v whole", whole)
	}
	// History begins at six.
	if whole := d.committed(nil, covered(6*time.Hour, 12*time.Hour)); len(whole) != 1 || !whole[0].Equal(monday) {
		t.Errorf("%v", whole)
	}
	if whole := d.committed(nil, covered(24*time.Hour, 48*time.Hour)); len(whole) != 0 {
		t.Errorf("%v is due again, or without rows", whole)
	}
	if whole := d.committed([]time.Time{monday}, nil); len(whole) != 1 {
		t.Error("a whole day that changed is not due")
	}
}
