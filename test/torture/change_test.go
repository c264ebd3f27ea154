package torture

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
)

// change lets time pass at the source: rows happen, some arrive late, some
// change, one moves in time and one is deleted. All of it lies well within the
// lookback, so that every following run has to find it.
func (w *world) change(dice *rand.Rand) {
	w.changes++
	w.sim.Advance(3 * time.Minute)
	for _, stream := range []apisim.Stream{apisim.Alerts, apisim.Violations} {
		late := time.Duration(dice.Int64N(int64(30 * time.Hour)))
		w.sim.Add(stream, w.sim.NewRow(stream, w.sim.Now().Add(-late), w.changes))
		recent := w.recent(stream)
		for range 3 {
			w.sim.Update(stream, pick(dice, recent).ID, func(r *apisim.Row) {
				r.Message, r.Explanation = fmt.Sprint("changed ", w.changes), fmt.Sprint("changed ", w.changes)
			})
		}
		elsewhere := w.sim.Now().Add(-time.Duration(dice.Int64N(int64(30 * time.Hour)))).Truncate(time.Millisecond)
		w.sim.Update(stream, pick(dice, recent).ID, func(r *apisim.Row) { r.Timestamp = elsewhere })
		if gone := pick(dice, recent).ID; w.changes%3 == 0 {
			w.sim.Delete(stream, gone)
			w.deleted[gone] = true
		}
	}
}

// recent are the rows of the last thirty hours.
func (w *world) recent(stream apisim.Stream) []apisim.Row {
	var rows []apisim.Row
	for _, row := range w.sim.Rows(stream) {
		if age := w.sim.Now().Sub(row.Timestamp); age >= 0 && age < 30*time.Hour {
			rows = append(rows, row)
		}
	}
	return rows
}

func pick(dice *rand.Rand, rows []apisim.Row) apisim.Row { return rows[dice.IntN(len(rows))] }
