package run

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// refill moves the fields that earlier releases kept in extra to the columns that this
// release has for them. It does nothing but after an upgrade or a rebuild.
func (r *run) refill(ctx context.Context) error {
	changed, err := r.warehouse.Refill(ctx, r.options.RunID, r.asReadNow)
	r.changed = r.changed || changed > 0
	return err
}

// asReadNow converts stored rows as records that the source sends. A row that cannot be
// converted is left out, and so stays as it is. The caller releases the record.
func (r *run) asReadNow(table *schema.Table, rows [][]any) (load.Rows, error) {
	batch := transform.NewBatch(table, r.options.Privacy, memory.DefaultAllocator)
	defer batch.Release()
	for _, row := range rows {
		batch.AddStored(row)
	}
	built := batch.Build()
	return load.Rows{Table: table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest}, nil
}
