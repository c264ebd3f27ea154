package checkpoints_test

import (
	"context"
	"database/sql"
	"testing"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

// TestExpiredTimeIsNeitherCoveredNorLost lets commits and expiries alternate: what has
// expired stays so, and of other times and filter sets nothing changes.
func TestExpiredTimeIsNeitherCoveredNorLost(t *testing.T) {
	db := openLedger(t)
	ctx := context.Background()
	key, other := checkpoints.Key{Stream: "s", Filter: `{"a":"it's"}`}, checkpoints.Key{Stream: "s", Filter: "{}"}
	reads := []checkpoints.Status{checkpoints.Covered, checkpoints.Lost}
	rapid.Check(t, func(t *rapid.T) {
		if _, err := db.Exec(ledgerDDL); err != nil {
			t.Fatal(err)
		}
		want := map[checkpoints.Key]map[checkpoints.Status]checkpoints.Set{key: {}, other: {}}
		end := 0
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			commit(t, db, func(tx *sql.Tx) error {
				if rapid.Bool().Draw(t, "expire") {
					end = rapid.IntRange(end, horizon).Draw(t, "end")
					for _, s := range reads {
						_, want[key][s] = want[key][s].Split(interval(end, end).From)
					}
					want[key][checkpoints.Expired] = checkpoints.Of(interval(0, end))
					return checkpoints.Expire(ctx, tx, key, "run", interval(0, end))
				}
				add, _ := drawSet(t, "add")
				_, add = add.Split(interval(end, end).From)
				status := rapid.SampledFrom(reads).Draw(t, "what")
				for k := range want {
					want[k][status] = want[k][status].Union(add)
					if err := checkpoints.Record(ctx, tx, k, status, "run", add); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for k, statuses := range want {
			for _, s := range append(reads, checkpoints.Expired) {
				if got, err := checkpoints.Read(ctx, db, k, s); err != nil || modelOf(got) != modelOf(statuses[s]) {
					t.Fatalf("%v %s: %v, %v, want %v", k, s, got, err, statuses[s])
				}
			}
		}
	})
}

func commit(t *rapid.T, db *sql.DB, do func(*sql.Tx) error) {
	tx, err := db.Begin()
	if err == nil {
		err = do(tx)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
}
