package lake

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/flashback-sync/flashback-sync/schema"
)

var codecs = map[string]compress.Compression{
	"zstd": compress.Codecs.Zstd, "snappy": compress.Codecs.Snappy, "none": compress.Codecs.Uncompressed,
}

// properties choose the encodings. Most columns repeat few values and have a
// dictionary. Those that do not have the encoding that suits them: ids are of one
// length, and times ascend. Higher levels of zstd gain less than 1% of the size
// and cost several times the time.
func (l *publication) properties(table *schema.Table) (*parquet.WriterProperties, error) {
	codec, known := codecs[l.Compression]
	if !known {
		return nil, fmt.Errorf("unknown compression %q", l.Compression)
	}
	options := []parquet.WriterProperty{
		parquet.WithCompression(codec), parquet.WithStats(true), parquet.WithMaxRowGroupLength(groupRows),
		parquet.WithCreatedBy(l.Generator), parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithSortingColumns(sorting(table)),
	}
	if _, ok := table.Column("id"); ok {
		options = append(options, plainly(parquet.Encodings.DeltaLengthByteArray, "id")...)
	}
	options = append(options, plainly(parquet.Encodings.DeltaBinaryPacked, table.Time)...)
	return parquet.NewWriterProperties(options...), nil
}

// plainly gives a column an encoding in place of a dictionary.
func plainly(encoding parquet.Encoding, column string) []parquet.WriterProperty {
	return []parquet.WriterProperty{parquet.WithDictionaryFor(column, false), parquet.WithEncodingFor(column, encoding)}
}

// sorting says how the source sorts rows: by time, then by key, NULLs last.
func sorting(table *schema.Table) []parquet.SortingColumn {
	columns := []parquet.SortingColumn{{ColumnIdx: indexOf(table, table.Time)}}
	for _, key := range table.Key {
		if key != table.Time {
			columns = append(columns, parquet.SortingColumn{ColumnIdx: indexOf(table, key)})
		}
	}
	return columns
}

func indexOf(table *schema.Table, name string) int32 {
	for i, c := range table.Columns {
		if c.Name == name {
			return int32(i)
		}
	}
	panic(table.Name + " has no column " + name)
}
