package checkpoints_test

import (
	"context"
	"database/sql"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

const ledgerDDL = `CREATE OR REPLACE TABLE sync_coverage (
	stream VARCHAR, "filter" VARCHAR, status VARCHAR, from_ts TIMESTAMPTZ, to_ts TIMESTAMPTZ, run_id VARCHAR)`

func openLedger(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestLedgerEqualsTheUnionOfCommits commits and rolls back at will: the ledger
// must hold exactly the union of what was committed, joined.
func TestLedgerEqualsTheUnionOfCommits(t *testing.T) {
	db := openLedger(t)
	ctx := context.Background()
	key := checkpoints.Key{Stream: "alerts", Filter: `{"repo":"it's"}`}
	other := checkpoints.Key{Stream: "alerts", Filter: `{}`}
	rapid.Check(t, func(t *rapid.T) {
		if _, err := db.Exec(ledgerDDL); err != nil {
			t.Fatal(err)
		}
		var want checkpoints.Set
		for range rapid.IntRange(1, 6).Draw(t, "commits") {
			add, _ := drawSet(t, "add")
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if err := checkpoints.Record(ctx, tx, key, checkpoints.Covered, "run", add); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "commit") {
				want = want.Union(add)
				err = tx.Commit()
			} else {
				err = tx.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := checkpoints.Read(ctx, db, key, checkpoints.Covered)
		if err != nil || modelOf(got) != modelOf(want) {
			t.Fatalf("ledger %v, %v, want %v", got, err, want)
		}
		var rows int
		if err := db.QueryRow("SELECT count(*) FROM sync_coverage").Scan(&rows); err != nil || rows != len(want) {
			t.Fatalf("%d ledger rows for %v, %v", rows, want, err)
		}
		if none, err := checkpoints.Read(ctx, db, other, checkpoints.Covered); err != nil || len(none) > 0 {
			t.Fatalf("another filter set is covered: %v, %v", none, err)
		}
	})
}

func TestLostIsNotCovered(t *testing.T) {
	db := openLedger(t)
	ctx := context.Background()
	if _, err := db.Exec(ledgerDDL); err != nil {
		t.Fatal(err)
	}
	key := checkpoints.Key{Stream: "policy_stats", Filter: "{}"}
	tx, _ := db.Begin()
	if err := checkpoints.Record(ctx, tx, key, checkpoints.Lost, "run", checkpoints.Of(interval(1, 5))); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	covered, _ := checkpoints.Read(ctx, db, key, checkpoints.Covered)
	lost, _ := checkpoints.Read(ctx, db, key, checkpoints.Lost)
	if len(covered) != 0 || len(lost) != 1 || !lost[0].From.Equal(at(1)) {
		t.Errorf("covered %v, lost %v", covered, lost)
	}
}

// However many runs extend it, and in whatever steps, the ledger holds one row for a
// key and status, and one more for each gap: a gap that stays open for long, too.
func TestTheLedgerDoesNotGrowWithRuns(t *testing.T) {
	db := openLedger(t)
	ctx := context.Background()
	if _, err := db.Exec(ledgerDDL); err != nil {
		t.Fatal(err)
	}
	healthy := checkpoints.Key{Stream: "alerts", Filter: "{}"}
	partial := checkpoints.Key{Stream: "violations", Filter: "{}"}
	var tx *sql.Tx
	record := func(key checkpoints.Key, status checkpoints.Status, intervals ...checkpoints.Interval) {
		if err := checkpoints.Record(ctx, tx, key, status, "run", checkpoints.Of(intervals...)); err != nil {
			t.Fatal(err)
		}
	}
	const runs = 200 // with fifty times as many it is the same
	for i := range runs {
		if i%100 == 0 { // one at a time would be the same, and slower
			tx = begin(t, db, tx)
		}
		end := i + 50
		switch {
		case i%3 == 0: // adjacent to what is stored
			record(healthy, checkpoints.Covered, interval(end-1, end), interval(end, end+1))
		default: // overlapping it, as the lookback does
			record(healthy, checkpoints.Covered, interval(end-40, end+1))
		}
		// Something about 20 cannot be proven, run after run.
		record(partial, checkpoints.Covered, interval(0, 20), interval(21, end))
		if i%100 == 0 {
			record(partial, checkpoints.Lost, interval(i, i+100))
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := db.QueryRow("SELECT count(*) FROM sync_coverage").Scan(&rows); err != nil || rows != 4 {
		t.Errorf("%d rows after %d runs, %v; want one of alerts, two about the gap, one that is lost", rows, runs, err)
	}
	covered, err := checkpoints.Read(ctx, db, healthy, checkpoints.Covered)
	if err != nil || len(covered) != 1 || !covered.Covers(interval(60, runs+50)) {
		t.Errorf("%v, %v", covered, err)
	}
}

// begin begins a transaction after the one before, whose dead rows it clears away.
func begin(t *testing.T, db *sql.DB, before *sql.Tx) *sql.Tx {
	t.Helper()
	if before != nil {
		if err := before.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CHECKPOINT"); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return tx
}
