package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// expired reads where the rows of each table begin that have not expired. Of a derived
// table that is what is kept of any list.
func (v *verification) expired(ctx context.Context) error {
	v.kept = map[string]time.Time{}
	var lists []time.Time
	for _, stream := range schema.Streams() {
		kept, err := v.stored.Expired(ctx, stream.Name)
		if err != nil {
			return err
		}
		v.kept[stream.Table.Name] = kept
		if stream.Kind == schema.List {
			lists = append(lists, kept)
		}
	}
	for _, table := range schema.Tables() {
		if table.Derived != "" {
			v.kept[table.Name] = slices.MinFunc(lists, time.Time.Compare)
		}
	}
	return nil
}

// expiredIn says that a partition has rows that have expired; "" if it has none.
func (v *verification) expiredIn(table *schema.Table, f fingerprint) string {
	if kept := v.kept[table.Name]; f.Rows > 0 && f.Oldest.Before(kept) {
		return fmt.Sprintf("it has rows of %s, which have expired: nothing before %s is kept", f.Oldest.Format(time.DateOnly), kept.Format(time.DateOnly))
	}
	return ""
}

// warehouse reports rows of the warehouse that have expired. The next run drops them.
func (v *verification) warehouse(stored map[*schema.Table]map[time.Time]fingerprint) {
	for table, partitions := range stored {
		var found []string
		var rows int64
		for _, f := range partitions {
			if detail := v.expiredIn(table, f); detail != "" {
				found, rows = append(found, detail), rows+f.Rows
			}
		}
		if len(found) > 0 {
			v.found("state/warehouse.duckdb", Differs, table.Name+": "+slices.Min(found), rows, "")
		}
	}
}
