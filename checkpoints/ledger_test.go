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
