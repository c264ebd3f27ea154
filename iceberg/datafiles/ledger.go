package datafiles

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

// Ledger is the coverage ledger as the content of a partition.
func Ledger(ranges []lake.Range, hash string) Source {
	instant := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "stream", Type: arrow.BinaryTypes.String},
		{Name: "filter", Type: arrow.BinaryTypes.String},
		{Name: "status", Type: arrow.BinaryTypes.String},
		{Name: "from_ts", Type: instant},
		{Name: "to_ts", Type: instant},
	}, nil)
	return Source{Hash: hash, Schema: schema, Batches: func(yield func(arrow.RecordBatch, error) bool) {
		builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer builder.Release()
		for _, r := range ranges {
			builder.Field(0).(*array.StringBuilder).Append(r.Stream)
			builder.Field(1).(*array.StringBuilder).Append(r.Filter)
			builder.Field(2).(*array.StringBuilder).Append(r.Status)
			builder.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(r.From.UnixMicro()))
			builder.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(r.To.UnixMicro()))
		}
		batch := builder.NewRecordBatch()
		defer batch.Release()
		yield(batch, nil)
	}}
}
