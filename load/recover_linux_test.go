package load_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Fault 44: the outcome of a failed commit is unknown. A large one is written
// right into the file; whatever fails on the way, rows and ledger landed both or
// neither, and committing again counts every row once.
func TestACommitThatFailedIsCommittedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  string
		landed bool
	}{
		"blocks_written": {"pwrite64:error=EIO:when=3", false},
		"blocks_synced":  {"fsync:error=EIO:when=1", false},
		"header_written": {"pwrite64:error=EIO:when=8", false},
		"header_synced":  {"fsync:error=EIO:when=2", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !alone(t, func(dir string) []string {
				return injecting(load.File(dir), c.fault)
			}) {
				return
			}
			ctx, dir := context.Background(), os.Getenv(aloneDir)
			w := open(t, dir)
			key := checkpoints.Key{Stream: "alerts", Filter: "{}"}
			batch := load.Commit{RunID: "run-1", Stream: "alerts", Rows: []load.Rows{many(t, 0, 60_000)}, Coverage: []load.Coverage{{
				Key: key, Status: checkpoints.Covered, Set: checkpoints.Of(checkpoints.Interval{From: epoch, To: epoch.AddDate(0, 0, 1)}),
			}}}
			_, err := w.Commit(ctx, batch)
			var storage *duckdb.StorageError
			if !errors.As(err, &storage) {
				t.Errorf("%v", err)
			}
			if err := w.Recover(ctx); err != nil {
				t.Fatal(err)
			}
			covered, err := w.Coverage(ctx, key, checkpoints.Covered)
			if err != nil {
				t.Fatal(err)
			}
			counts, err := w.Commit(ctx, batch)
			want := load.Counts{Inserted: 60_000}
			if c.landed {
				want = load.Counts{Unchanged: 60_000}
			}
			if err != nil || counts != want || (len(covered) > 0) != c.landed {
				t.Errorf("covered are %v, counts are %+v, %v", covered, counts, err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if got := query(t, dir, "SELECT count(*) || ' ' || count(DISTINCT id) FROM alerts"); got != "60000 60000" {
				t.Errorf("%s rows", got)
			}
		})
	}
}

// DuckDB says of some failed commits that they landed: the log was written, and
// then could not be brought into the file.
func TestACommitThatLandedAndFailedIsFoundUnchanged(t *testing.T) {
	t.Parallel()
	if !alone(t, func(dir string) []string {
		return injecting(load.File(dir), "pwrite64:error=EIO:when=1")
	}) {
		return
	}
	ctx, dir := context.Background(), os.Getenv(aloneDir)
	w := open(t, dir)
	for n := range 1000 {
		rows := 6000
		if log, err := os.Stat(load.File(dir) + ".wal"); err == nil && log.Size() > 13<<20 {
			rows = 300 // a larger commit would go into the file right away
		}
		c := load.Commit{RunID: "run-1", Stream: "alerts", Rows: []load.Rows{many(t, n, rows)}}
		_, err := w.Commit(ctx, c)
		if err == nil {
			continue
		}
		if err := w.Recover(ctx); err != nil {
			t.Fatal(err)
		}
		if counts, again := w.Commit(ctx, c); again != nil || counts != (load.Counts{Unchanged: 300}) {
			t.Errorf("%v; then %+v, %v", err, counts, again)
		}
		if days, err := w.Changed(ctx, schema.Alerts()); err != nil || len(days) != n+1 {
			t.Errorf("%d of %d days, %v", len(days), n+1, err)
		}
		return
	}
	t.Error("nothing failed")
}
