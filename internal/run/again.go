package run

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// retryRejects types the rejects of a list again: this release may know more than
// the one that rejected them. What is typed leaves the rejects in the transaction that
// stores it; a later version that is stored stays.
func (r *run) retryRejects(ctx context.Context, stream string, result *Result) error {
	rejects, err := r.warehouse.Rejects(ctx, stream)
	if err != nil {
		return err
	}
	for len(rejects) > 0 {
		n := 1 // those of one commit were seen at one time
		for n < len(rejects) && rejects[n].Seen.Equal(rejects[0].Seen) {
			n++
		}
		if err := r.retryTogether(ctx, stream, rejects[:n], result); err != nil {
			return err
		}
		rejects = rejects[n:]
	}
	return nil
}

func (r *run) retryTogether(ctx context.Context, stream string, rejects []load.Quarantined, result *Result) error {
	batch := transform.NewBatch(schema.ByName(stream), r.options.Privacy, memory.DefaultAllocator)
	defer batch.Release()
	var typed []string
	for _, reject := range rejects {
		// A Conflict, with another version of the same time, waits for the next try.
		if outcome := batch.AddReject([]byte(reject.Raw)); outcome == transform.Added || outcome == transform.Duplicate {
			typed = append(typed, reject.Raw)
		}
	}
	built := batch.Build()
	defer built.Release()
	rows := RowsOf(built)
	if len(rows) == 0 {
		return nil
	}
	rows[0].Seen = rejects[0].Seen
	_, err := r.warehouse.Commit(context.WithoutCancel(ctx), load.Commit{RunID: r.options.RunID, Stream: stream, Recovered: typed, Rows: rows})
	if err != nil {
		return err
	}
	result.Recovered += int64(len(typed))
	r.changed = true
	return nil
}

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
