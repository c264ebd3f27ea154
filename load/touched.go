package load

import (
	"context"
	"fmt"
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

// touches lists the starts of the partitions that get rows, or lose them.
func (s statements) touches(ctx context.Context, i incoming, held int64) (starts []time.Time, err error) {
	if s.Partition == schema.Unpartitioned {
		return nil, nil
	}
	if held == 0 {
		seen := map[time.Time]bool{}
		for _, at := range timesOf(s.Table, i.record) {
			seen[s.PartitionStart(time.UnixMicro(int64(at)))] = true
		}
		return slices.Collect(maps.Keys(seen)), nil
	}
	i = i.only(func(column string) bool { return column == s.Time || column == nth })
	defer i.release()
	err = i.read(ctx, func() (err error) {
		starts, err = scanTimes(i.tx.QueryContext(ctx, fmt.Sprintf(`
			SELECT %s FROM incoming ANTI JOIN (SELECT nth FROM temp.held WHERE NOT changed) USING (nth)
			UNION SELECT %s FROM temp.held WHERE changed`, s.partitionOf(schema.Ident(s.Time)), s.partitionOf("held_time"))))
		return err
	})
	return starts, err
}
