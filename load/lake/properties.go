package lake

import (
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/flashback-sync/flashback-sync/schema"
)

// groupRows is the number of rows of a row group, DuckDB's own: readers skip whole
// groups by their statistics.
const groupRows = 122_880

var codecs = map[string]struct {
	copy  string
	arrow compress.Compression
}{
	"zstd":   {"zstd, COMPRESSION_LEVEL 1", compress.Codecs.Zstd},
	"snappy": {"snappy", compress.Codecs.Snappy},
	"none":   {"uncompressed", compress.Codecs.Uncompressed},
}

// copyOptions choose the encodings of a file that DuckDB writes. Version 1 is what every
// reader understands: Power BI and others refuse the encodings of version 2, which would
// save 3 to 7% of the bytes. Level 1 of zstd is the fastest; higher ones gain little. Bloom
// filters are left out: a file is one day, and they are as large as the column of
// an id.
func (o Options) copyOptions() (string, error) {
	codec, known := codecs[o.Compression]
	if !known {
		return "", fmt.Errorf("unknown compression %q", o.Compression)
	}
	return fmt.Sprintf("FORMAT parquet, PARQUET_VERSION v1, WRITE_BLOOM_FILTER false, ROW_GROUP_SIZE %d, USE_TMP_FILE false, KV_METADATA {generator: %s}, COMPRESSION %s",
		groupRows, schema.Literal(o.Generator), codec.copy), nil
}

// properties choose the encodings of a file that DuckDB does not write, of version 1, too. Most columns repeat few values and have a dictionary; ids and times do not.
func (o Options) properties(table *schema.Table) (*parquet.WriterProperties, error) {
	codec, known := codecs[o.Compression]
	if !known {
		return nil, fmt.Errorf("unknown compression %q", o.Compression)
	}
	options := []parquet.WriterProperty{
		parquet.WithCompression(codec.arrow), parquet.WithStats(true), parquet.WithMaxRowGroupLength(groupRows),
		parquet.WithCreatedBy(o.Generator), parquet.WithVersion(parquet.V1_0),
		parquet.WithSortingColumns(sorting(table)),
	}
	if _, ok := table.Column("id"); ok {
		options = append(options, parquet.WithDictionaryFor("id", false))
	}
	options = append(options, parquet.WithDictionaryFor(table.Time, false))
	return parquet.NewWriterProperties(options...), nil
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
