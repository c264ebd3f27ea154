package load_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// writing opens a warehouse as a run does, at a time.
func writing(t testing.TB, dir string, now time.Time) *load.Warehouse {
	t.Helper()
	w, err := load.Open(context.Background(), load.Options{Dir: dir, Version: "test", Writing: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// TestNoIDIsStoredTwice moves rows about over many runs, some of which are killed.
func TestNoIDIsStoredTwice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 3))
		dir, next := t.TempDir(), 0
		stored := map[string]alert{}
		for run := range 12 {
			name := fmt.Sprintf("run-%02d", run)
			w := writing(t, dir, epoch.AddDate(1, 0, 0).Add(time.Duration(run)*time.Hour))
			for range 1 + rng.IntN(3) {
				rows := map[string]alert{}
				for range rng.IntN(40) {
					id := fmt.Sprint(next)
					if next++; rng.IntN(12) == 0 {
						id = fmt.Sprint(rng.IntN(next)) // known, perhaps, and elsewhere
					}
					rows[id] = alert{id, epoch.AddDate(0, 0, rng.IntN(300)), name}
				}
				var list []alert
				for id, row := range rows {
					list, stored[id] = append(list, row), row
				}
				if len(list) > 0 {
					commit(t, w, name, batch(t, list...))
				}
			}
			if rng.IntN(4) == 0 { // killed
				_ = w.Close()
				continue
			}
			_, err := w.Dedupe(context.Background(), name, schema.Alerts())
			if err := errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			var want []string
			for id, row := range stored {
				want = append(want, fmt.Sprint(id, " ", row.at.Unix()))
			}
			slices.Sort(want)
			if got := query(t, dir, "SELECT string_agg(id || ' ' || epoch(timestamp)::BIGINT, ';' ORDER BY id || ' ' || epoch(timestamp)::BIGINT) FROM alerts"); got != strings.Join(want, ";") {
				t.Fatalf("seed %d, %s: stored are %s, want %s", seed, name, got, strings.Join(want, ";"))
			}
		}
	}
}

// What a context ends in the middle leaves the table as it was, and is no success.
func TestDedupeStopsAtItsDeadline(t *testing.T) {
	dir := t.TempDir()
	_ = open(t, dir).Close()
	db, err := duckdb.Open(load.File(dir), duckdb.Session{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO internal.unsettled VALUES ('alerts', 'run-1');
		INSERT INTO alerts (id, timestamp, _run_id, _first_synced_at, _last_changed_at)
			SELECT n % 200000, TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_seconds(n), 'run-1', '2024-01-09 00:00:00Z', '2024-01-09 00:00:00Z' FROM range(400000) r(n)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	w := open(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.Dedupe(ctx, "run-2", schema.Alerts()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	const state = "SELECT count(*) || ' ' || (SELECT count(*) FROM internal.unsettled) FROM alerts"
	_ = w.Close()
	if got := query(t, dir, state); got != "400000 1" {
		t.Errorf("rows, runs to dedupe: %s", got)
	}
	w = open(t, dir)
	_, err = w.Dedupe(context.Background(), "run-2", schema.Alerts())
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dir, state); got != "200000 0" {
		t.Errorf("after the next run: %s", got)
	}
}

func TestARunRemovesWhatOlderReleasesKept(t *testing.T) {
	dir := t.TempDir()
	_ = open(t, dir).Close()
	ids := filepath.Join(dir, "state", "ids")
	if err := os.Mkdir(ids, 0o750); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(ids, "alerts-1"), []byte("hashes"))
	overwrite(t, load.File(dir)+".seal", []byte("{}"))
	_ = writing(t, dir, epoch).Close()
	for _, path := range []string{ids, load.File(dir) + ".seal"} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

// BenchmarkIncrement commits and dedupes a batch on histories of several lengths.
func BenchmarkIncrement(b *testing.B) {
	for _, days := range []int{5, 200} {
		b.Run(fmt.Sprintf("rows=%d", days*2000), func(b *testing.B) {
			dir := b.TempDir()
			w := writing(b, dir, epoch)
			for day := range days {
				commit(b, w, "run-1", many(b, day, 2000))
			}
			_ = w.Close()
			for n := 0; b.Loop(); n++ {
				w := writing(b, dir, epoch.Add(time.Duration(n)*time.Minute))
				commit(b, w, fmt.Sprint("run ", n), many(b, days+n, 100))
				_, err := w.Dedupe(context.Background(), fmt.Sprint("run ", n), schema.Alerts())
				if err := errors.Join(err, w.CloseFile(context.Background()), w.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
