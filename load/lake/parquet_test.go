//go:build !race

package lake_test

// These tests read the files with a reader that is not DuckDB's. It takes long to compile,
// and has no part in what the race detector looks for.

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/schema"
)

func TestAnotherReaderFindsTheRowsOfTheWarehouse(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 24)...))
	s.publish()
	for _, entry := range s.manifest().Files {
		want := s.rows(schema.ByName(entry.Table), entry.Oldest, entry.Newest.Add(time.Microsecond))
		if diff := cmp.Diff(want, readParquet(s, filepath.Join(s.dir, filepath.FromSlash(entry.Path)))); diff != "" {
			s.Errorf("%s (-want +got):\n%.2000s", entry.Path, diff)
		}
	}
}

func TestFilesCarryTheSchema(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 2)...))
	s.publish()
	for _, table := range []*schema.Table{schema.Alerts(), schema.PolicyStats()} {
		path := filepath.Join(s.dir, filepath.FromSlash(map[string]string{
			"alerts": "alerts/date=2024-01-01/alerts.parquet", "policy_stats": "policy_stats/month=2024-01/policy_stats.parquet",
		}[table.Name]))
		reader, arrowReader := openParquet(t, path)
		got, err := arrowReader.Schema()
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range table.Columns {
			read := got.Field(i)
			if read.Name != c.Name || !arrow.TypeEqual(read.Type, c.Type.Arrow()) || !read.Nullable {
				t.Errorf("%s.%s is %v", table.Name, c.Name, read)
			}
		}
		for i, row := range duckDB(t, fmt.Sprintf("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(%s, hive_partitioning = false))", schema.Literal(path))) {
			c := table.Columns[i]
			wanted := strings.NewReplacer("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "JSON", "VARCHAR").Replace(c.Type.DuckDB())
			if row[0] != c.Name || row[1] != wanted {
				t.Errorf("DuckDB reads %s.%s as %v %v", table.Name, c.Name, row[0], row[1])
			}
		}
		_ = reader.Close()
	}
}

func TestFilesAreMadeForReadersThatSkip(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	table := schema.Alerts()
	s.publish()
	reader, _ := openParquet(t, filepath.Join(s.dir, "alerts", "date=2024-01-01", "alerts.parquet"))
	metadata := reader.MetaData()
	by := metadata.KeyValueMetadata().FindValue("generator")
	if by == nil || *by != "flashback-sync test" {
		t.Errorf("created by %q", metadata.GetCreatedBy())
	}
	group := metadata.RowGroup(0)
	for i, c := range table.Columns {
		chunk, err := group.ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Compression() != compress.Codecs.Zstd {
			t.Errorf("%s is compressed by %v", c.Name, chunk.Compression())
		}
		statistics, err := chunk.Statistics()
		if err != nil || statistics == nil || !statistics.HasNullCount() {
			t.Errorf("%s has no statistics: %v", c.Name, err)
			continue
		}
		// Columns of NULLs alone have no bounds, and bounds of long text are left out.
		bounded := c.Name != "message" && c.Name != "host" && statistics.NullCount() < group.NumRows()
		if bounded && !statistics.HasMinMax() {
			t.Errorf("%s has no bounds", c.Name)
		}
	}
	_ = reader.Close()
	bounds := duckDB(t, fmt.Sprintf(`SELECT stats_min_value, stats_max_value FROM parquet_metadata(%s)
		WHERE path_in_schema IN ('id', 'user_name') ORDER BY column_id`, schema.Literal(filepath.Join(s.dir, "alerts", "*", "*.parquet"))))
	if diff := cmp.Diff([][]any{{"00", "15"}, {"constant", "constant"}}, bounds); diff != "" {
		t.Errorf("bounds (-want +got):\n%s", diff)
	}
}

func TestEveryCompression(t *testing.T) {
	odd := newSite(t)
	odd.alerts(oddAlerts()...)
	for name, want := range map[string]compress.Compression{
		"zstd": compress.Codecs.Zstd, "snappy": compress.Codecs.Snappy, "none": compress.Codecs.Uncompressed,
	} {
		s := odd.elsewhere(t)
		o := options(s.dir)
		o.Compression = name
		if err := s.attempt(o); err != nil {
			t.Fatal(err)
		}
		reader, _ := openParquet(t, filepath.Join(s.dir, "alerts", "date=2024-01-01", "alerts.parquet"))
		chunk, err := reader.MetaData().RowGroup(0).ColumnChunk(0)
		if err != nil || chunk.Compression() != want {
			t.Errorf("%s: %v, %v", name, chunk.Compression(), err)
		}
		_ = reader.Close()
	}
	s := odd.elsewhere(t)
	o := options(s.dir)
	o.Compression = "zsdt"
	if err := s.attempt(o); err == nil || len(s.files()) != 0 {
		t.Errorf("a compression that is none: %v, files %v", err, s.files())
	}
}

func readParquet(t testing.TB, path string) map[string][]any {
	t.Helper()
	reader, arrowReader := openParquet(t, path)
	defer func() { _ = reader.Close() }()
	records, err := arrowReader.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Release()
	columns := map[string][]any{}
	for records.Next() {
		gather(columns, records.RecordBatch())
	}
	if err := records.Err(); err != nil {
		t.Fatal(err)
	}
	return columns
}

func openParquet(t testing.TB, path string) (*file.Reader, *pqarrow.FileReader) {
	t.Helper()
	reader, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	arrowReader, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: 1000}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return reader, arrowReader
}

// gather appends a batch's values, column by column.
func gather(columns map[string][]any, batch arrow.RecordBatch) {
	for i, column := range batch.Columns() {
		name := batch.Schema().Field(i).Name
		for row := range column.Len() {
			columns[name] = append(columns[name], valueAt(column, row))
		}
	}
}

func valueAt(column arrow.Array, i int) any {
	if column.IsNull(i) {
		return nil
	}
	switch c := column.(type) {
	case *array.String:
		return strings.Clone(c.Value(i)) // the batch's memory is given back
	case *array.Timestamp:
		return time.UnixMicro(int64(c.Value(i))).UTC()
	case *array.Int64:
		return c.Value(i)
	case *array.Boolean:
		return c.Value(i)
	}
	panic(fmt.Sprintf("a column of type %T", column))
}
