package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

// prefillSpec is a history that no source has to serve: the organisation's week,
// again and again, from Start up to that week.
type prefillSpec struct {
	Organisation serveSpec // of seven days
	Dir          string    // data_dir
	Start        time.Time
	MemoryLimit  string
}

// prefill commits the weeks, newest first as a sync does, with the coverage that
// keeps a sync from asking for them. It publishes nothing: that is listed as left
// over, and the next run does it.
func prefill(ctx context.Context, spec prefillSpec) (rows int, err error) {
	const runID = "run-0"
	now := spec.Start
	warehouse, err := load.Open(ctx, load.Options{
		Dir: spec.Dir, Version: "bench", MemoryLimit: spec.MemoryLimit, Now: func() time.Time { return now },
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, warehouse.Close()) }()
	table := schema.Alerts()
	week := simulated.AddDate(0, 0, -7)
	var template []load.Rows
	for built, err := range batches(ctx, spec.Organisation.simulator(), table, committedRows) {
		if err != nil {
			return 0, err
		}
		built.Record.Retain()
		template = append(template, load.Rows{Table: table, Record: built.Record, Oldest: built.Oldest, Newest: built.Newest})
	}
	for n := 1; !week.AddDate(0, 0, -7*n).Before(spec.Start); n++ {
		for i, part := range template {
			commit := load.Commit{RunID: runID, Stream: table.Name, Rows: []load.Rows{weeksAgo(part, n)}}
			if i == len(template)-1 {
				from := week.AddDate(0, 0, -7*n)
				commit.Coverage = []load.Coverage{{
					Key:    checkpoints.Key{Stream: table.Name, Filter: extract.Query{List: extract.Alerts}.Key()},
					Status: checkpoints.Covered, Set: checkpoints.Of(checkpoints.Interval{From: from, To: from.AddDate(0, 0, 7)}),
				}}
			}
			counts, err := warehouse.Commit(ctx, commit)
			commit.Rows[0].Record.Release()
			if err == nil && counts.Inserted != part.Record.NumRows() {
				err = fmt.Errorf("%d of %d rows were inserted", counts.Inserted, part.Record.NumRows())
			}
			if err != nil {
				return 0, err
			}
			rows += int(counts.Inserted)
		}
	}
	if _, err := warehouse.Settle(ctx, runID, table); err != nil {
		return 0, err
	}
	return rows, warehouse.CloseFile(ctx)
}

// weeksAgo is a batch as it might have come some weeks earlier: other ids, other
// times, the same content.
func weeksAgo(rows load.Rows, weeks int) load.Rows {
	shift := -time.Duration(weeks) * 7 * 24 * time.Hour
	columns := append([]arrow.Array{}, rows.Record.Columns()...)
	for i, field := range rows.Record.Schema().Fields() {
		switch field.Name {
		case "id":
			columns[i] = otherIDs(columns[i].(*array.String), uint32(weeks)*2654435761) // spread over 32 bits
			defer columns[i].Release()
		case rows.Table.Time:
			columns[i] = shifted(columns[i].(*array.Timestamp), shift)
			defer columns[i].Release()
		}
	}
	rows.Record = array.NewRecordBatch(rows.Record.Schema(), columns, rows.Record.NumRows())
	rows.Oldest, rows.Newest = rows.Oldest.Add(shift), rows.Newest.Add(shift)
	return rows
}

// otherIDs changes the first eight hexadecimal digits of each id.
func otherIDs(ids *array.String, by uint32) arrow.Array {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	defer builder.Release()
	builder.Reserve(ids.Len())
	for i := range ids.Len() {
		id := ids.Value(i)
		head, _ := strconv.ParseUint(id[:8], 16, 32)
		builder.Append(fmt.Sprintf("%08x%s", uint32(head)^by, id[8:]))
	}
	return builder.NewArray()
}

func shifted(times *array.Timestamp, by time.Duration) arrow.Array {
	builder := array.NewTimestampBuilder(memory.DefaultAllocator, times.DataType().(*arrow.TimestampType))
	defer builder.Release()
	builder.Reserve(times.Len())
	for i := range times.Len() {
		builder.Append(times.Value(i) + arrow.Timestamp(by.Microseconds()))
	}
	return builder.NewArray()
}
