package datafiles

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/iceberg-go"

	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// describe makes the manifest's entry of a file that was written. Of the columns, only org and
// the time have bounds: within a day or month, those of others would exclude no file.
func (p *partition) describe(file *openFile, meta *metadata.FileMetaData) (iceberg.DataFile, error) {
	values := map[int]any{tables.OrgField: p.Org}
	logical := map[int]string{}
	if p.source.Period != nil {
		values[tables.PeriodField] = p.source.Period.Ordinal
		if !p.source.Period.Month {
			logical[tables.PeriodField] = "date"
		}
	}
	builder, err := iceberg.NewDataFileBuilder(p.Table.Spec(), iceberg.EntryContentData, file.location, iceberg.ParquetFile,
		values, logical, nil, meta.NumRows, file.bytes)
	if err != nil {
		return nil, err
	}
	sizes, counts, nulls, offsets := map[int]int64{}, map[int]int64{}, map[int]int64{}, []int64{}
	for g := range meta.NumRowGroups() {
		for i := range meta.RowGroup(g).NumColumns() {
			chunk, err := meta.RowGroup(g).ColumnChunk(i)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				offsets = append(offsets, startOf(chunk))
			}
			id := p.field(p.schema.Field(i).Name).ID
			sizes[id] += chunk.TotalCompressedSize()
			counts[id] += chunk.NumValues()
			if stats, err := chunk.Statistics(); err == nil && stats != nil && stats.HasNullCount() {
				nulls[id] += stats.NullCount() // a private column has none
			}
		}
	}
	builder.ColumnSizes(sizes).ValueCounts(counts).NullValueCounts(nulls).SplitOffsets(offsets)
	org := p.field(tables.OrgColumn).ID
	lower, upper := map[int][]byte{org: []byte(p.Org)}, map[int][]byte{org: []byte(p.Org)}
	if p.Declared.Time != "" {
		field := p.field(p.Declared.Time)
		lower[field.ID], upper[field.ID] = bound(field.Type, p.check.least), bound(field.Type, p.check.most)
		if !p.check.unsorted {
			builder.SortOrderID(p.Table.SortOrder().OrderID())
		}
	}
	return builder.LowerBoundValues(lower).UpperBoundValues(upper).Build(), nil
}

func (p *partition) field(name string) iceberg.NestedField {
	field, _ := p.Table.Schema().FindFieldByName(name) // the schema was made of the table's
	return field
}

func startOf(chunk *metadata.ColumnChunkMetaData) int64 {
	if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
		return chunk.DictionaryPageOffset()
	}
	return chunk.DataPageOffset()
}

// bound encodes a day or an instant as Iceberg does.
func bound(typ iceberg.Type, value int64) []byte {
	if typ.Equals(iceberg.DateType{}) {
		return binary.LittleEndian.AppendUint32(nil, uint32(value))
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(value))
}
