package load

import (
	"maps"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// touched are the starts of partitions that rows were written to, by table.
type touched map[string]map[time.Time]bool

func (t touched) add(table string, starts ...time.Time) {
	if t[table] == nil {
		t[table] = map[time.Time]bool{}
	}
	for _, start := range starts {
		t[table][start] = true
	}
}

func (t touched) join(other touched) {
	for table, starts := range other {
		t.add(table, slices.Collect(maps.Keys(starts))...)
	}
}

// Touched lists the starts of the partitions of a table that were committed to
// since it was asked last.
func (w *Warehouse) Touched(table *schema.Table) []time.Time {
	starts := slices.Collect(maps.Keys(w.touched[table.Name]))
	delete(w.touched, table.Name)
	return starts
}
