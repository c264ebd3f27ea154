package datafiles

import (
	"context"
	"iter"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
)

// Wanted is what a partition should be a copy of: a file of the lake, or a list of its manifest.
type Wanted struct {
	Hash   string // SHA-256
	Rows   int64
	Period *lake.Period // nil for a list

	file lake.File
	list lake.List
}

// WantedOf are the partitions of a table, by period.
func WantedOf(m *lake.Manifest, table string) map[int32]Wanted {
	wanted := map[int32]Wanted{}
	for _, file := range m.FilesOf(table) {
		wanted[file.Period.Ordinal] = Wanted{Hash: file.SHA256, Rows: file.Rows, Period: &file.Period, file: file}
	}
	for _, list := range m.Lists() {
		if list.Name == table && len(list.Rows) > 0 {
			wanted[snapshots.NoPeriod] = Wanted{Hash: list.Hash, Rows: int64(len(list.Rows)), list: list}
		}
	}
	return wanted
}

// Diff compares a table with what is wanted: partitions to replace, and those to write.
func Diff(wanted map[int32]Wanted, live *snapshots.Live) (replace map[int32]bool, write []int32) {
	replace = map[int32]bool{}
	for period, want := range wanted {
		got := live.Partitions[period]
		if got != nil && got.Hash == snapshots.ShortHash(want.Hash) && got.Rows == want.Rows {
			continue
		}
		if got != nil {
			replace[period] = true
		}
		write = append(write, period)
	}
	for period := range live.Partitions {
		if _, known := wanted[period]; !known {
			replace[period] = true
		}
	}
	return replace, write
}

// Name is the period's name.
func (w Wanted) Name() string {
	if w.Period == nil {
		return "all"
	}
	return w.Period.String()
}

// Read passes on the rows.
func (w Wanted) Read(ctx context.Context, from *lake.Lake, use func(*arrow.Schema, iter.Seq2[arrow.RecordBatch, error]) error) error {
	if w.Period == nil {
		batch := listed(w.list)
		defer batch.Release()
		return use(batch.Schema(), func(yield func(arrow.RecordBatch, error) bool) { yield(batch, nil) })
	}
	rows, err := from.Rows(w.file)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	return use(rows.Schema, rows.Batches(ctx))
}

// listed are the rows of a list.
func listed(list lake.List) arrow.RecordBatch {
	var fields []arrow.Field
	for _, column := range list.Columns {
		field := arrow.Field{Name: column.Name, Type: arrow.BinaryTypes.String, Nullable: true}
		if column.Type == "TIMESTAMPTZ" {
			field.Type = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
		}
		fields = append(fields, field)
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer builder.Release()
	for _, row := range list.Rows {
		for i, value := range row {
			switch column := builder.Field(i).(type) {
			case *array.StringBuilder:
				if value == "" {
					column.AppendNull()
				} else {
					column.Append(value.(string))
				}
			case *array.TimestampBuilder:
				if at := value.(time.Time); at.IsZero() {
					column.AppendNull()
				} else {
					column.Append(arrow.Timestamp(at.UnixMicro()))
				}
			}
		}
	}
	return builder.NewRecordBatch()
}
