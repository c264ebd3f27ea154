package datafiles

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/iceberg-go"

	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// boundRunes is the length of a text's bounds, Iceberg's default.
const boundRunes = 16

// statistics are what a manifest has of a data file's columns, by field id.
type statistics struct {
	sizes, values, nulls map[int]int64
	lower, upper         map[int][]byte
}

// describe makes the manifest's entry of a file that was written.
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
	stats, offsets, err := p.statistics(meta)
	if err != nil {
		return nil, err
	}
	builder.ColumnSizes(stats.sizes).ValueCounts(stats.values).NullValueCounts(stats.nulls).
		LowerBoundValues(stats.lower).UpperBoundValues(stats.upper).SplitOffsets(offsets)
	if p.Declared.Time != "" && !p.check.unsorted {
		builder.SortOrderID(p.Table.SortOrder().OrderID())
	}
	return builder.Build(), nil
}

func (p *partition) statistics(meta *metadata.FileMetaData) (statistics, []int64, error) {
	stats := statistics{map[int]int64{}, map[int]int64{}, map[int]int64{}, map[int][]byte{}, map[int][]byte{}}
	var offsets []int64
	unbounded := map[int]bool{}
	for g := range meta.NumRowGroups() {
		group := meta.RowGroup(g)
		for i := range group.NumColumns() {
			chunk, err := group.ColumnChunk(i)
			if err != nil {
				return stats, nil, err
			}
			field, _ := p.Table.Schema().FindFieldByName(p.schema.Field(i).Name)
			if i == 0 {
				offsets = append(offsets, startOf(chunk))
			}
			stats.sizes[field.ID] += chunk.TotalCompressedSize()
			stats.values[field.ID] += chunk.NumValues()
			if err := stats.add(field, chunk, unbounded); err != nil {
				return stats, nil, err
			}
		}
	}
	for id := range unbounded {
		delete(stats.lower, id)
		delete(stats.upper, id)
	}
	for _, field := range p.Table.Schema().Fields() {
		if _, text := field.Type.(iceberg.StringType); text && field.Name != tables.OrgColumn {
			stats.shorten(field.ID)
		}
	}
	return stats, offsets, nil
}

func startOf(chunk *metadata.ColumnChunkMetaData) int64 {
	if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
		return chunk.DictionaryPageOffset()
	}
	return chunk.DataPageOffset()
}

// add adds the statistics of a column chunk. Parquet's plain encoding of a bound is Iceberg's.
func (s statistics) add(field iceberg.NestedField, chunk *metadata.ColumnChunkMetaData, unbounded map[int]bool) error {
	set, err := chunk.StatsSet()
	if err != nil {
		return err
	}
	if !set { // a private column
		unbounded[field.ID] = true
		return nil
	}
	stats, err := chunk.Statistics()
	if err != nil {
		return err
	}
	if stats.HasNullCount() {
		s.nulls[field.ID] += stats.NullCount()
	}
	if !stats.HasMinMax() {
		unbounded[field.ID] = unbounded[field.ID] || stats.NullCount() < chunk.NumValues()
		return nil
	}
	if low, known := s.lower[field.ID]; !known || compare(field.Type, stats.EncodeMin(), low) < 0 {
		s.lower[field.ID] = bytes.Clone(stats.EncodeMin())
	}
	if high, known := s.upper[field.ID]; !known || compare(field.Type, stats.EncodeMax(), high) > 0 {
		s.upper[field.ID] = bytes.Clone(stats.EncodeMax())
	}
	return nil
}

// compare orders two encoded values.
func compare(typ iceberg.Type, a, b []byte) int {
	switch typ.(type) {
	case iceberg.Int32Type, iceberg.DateType:
		return cmp.Compare(int32(binary.LittleEndian.Uint32(a)), int32(binary.LittleEndian.Uint32(b)))
	case iceberg.Int64Type, iceberg.TimestampTzType:
		return cmp.Compare(int64(binary.LittleEndian.Uint64(a)), int64(binary.LittleEndian.Uint64(b)))
	}
	if _, float := typ.(iceberg.Float64Type); float {
		return cmp.Compare(math.Float64frombits(binary.LittleEndian.Uint64(a)), math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return bytes.Compare(a, b)
}

// shorten cuts the bounds of a text. An upper bound that was cut is raised in its last rune;
// where that cannot be done there is none.
func (s statistics) shorten(id int) {
	low, known := s.lower[id]
	if !known {
		return
	}
	prefix, _ := trimLeft(string(low), boundRunes)
	s.lower[id] = []byte(prefix)
	prefix, cut := trimLeft(string(s.upper[id]), boundRunes)
	if !cut {
		return
	}
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		if raised := last + 1; last != utf8.RuneError && utf8.ValidRune(raised) {
			s.upper[id] = []byte(prefix + string(raised))
			return
		}
	}
	delete(s.upper, id)
}
