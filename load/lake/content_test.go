package lake_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// odd are texts that a careless writer or reader spoils.
var odd = []any{
	nil, "", " ", "null", "a\x00b", "é", "e\u0301", "😀", "\uffff", "line\nline\r\n", `'"\`, `../../x`, "%2e%2e/", "= 1+1",
	strings.Repeat("long é ", 200_000), `{"a": 1.10}`,
}

func oddAlerts() (rows []values) {
	for i, text := range odd {
		row := alert(fmt.Sprintf("%02d", i), epoch.Add(time.Duration(i)*time.Hour))
		row["message"], row["host"], row["user_name"] = text, text, "constant"
		if i%3 == 0 {
			row["extra"] = fmt.Sprintf(`{"n":%d.10,"x":[ 1e400 ],"é":"\u0000"}`, i)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestRowsEqualTheWarehouses(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 24)...))
	s.publish()
	s.checkManifest()
	s.checkRows()
}

// checkRows compares every file with the warehouse, row by row, in order.
func (s *site) checkRows() {
	s.Helper()
	for _, entry := range s.manifest().Files {
		table := schema.ByName(entry.Table)
		want := s.rows(table, entry.Oldest, entry.Newest.Add(time.Microsecond))
		path := filepath.Join(s.dir, filepath.FromSlash(entry.Path))
		if diff := cmp.Diff(want, readParquet(s, path)); diff != "" {
			s.Errorf("%s by pqarrow (-want +got):\n%.2000s", entry.Path, diff)
		}
		if diff := cmp.Diff(want, readWithDuckDB(s, table, path)); diff != "" {
			s.Errorf("%s by DuckDB (-want +got):\n%.2000s", entry.Path, diff)
		}
	}
}

// buckets are hourly statistics of the organisation and of one repo.
func buckets(from time.Time, count int) (rows []values) {
	for i := range count {
		for _, repo := range []any{nil, "repo-1"} {
			rows = append(rows, values{
				"scope": "org", "scope_id": repo, "bucket_size": "1h", "bucket_start": from.Add(time.Duration(i) * time.Hour),
				"alerts": i, "violations": 1 << 62, "closed": i%2 == 0,
			})
		}
	}
	return rows
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

func readWithDuckDB(t testing.TB, table *schema.Table, path string) map[string][]any {
	t.Helper()
	rows := duckDB(t, fmt.Sprintf("SELECT * FROM read_parquet(%s, hive_partitioning = false)", schema.Literal(path)))
	return columns(table, rows)
}

// columns arranges rows by column. Times are UTC.
func columns(table *schema.Table, rows [][]any) map[string][]any {
	all := map[string][]any{}
	for _, row := range rows {
		for i, c := range table.Columns {
			if at, ok := row[i].(time.Time); ok {
				row[i] = at.UTC()
			}
			all[c.Name] = append(all[c.Name], row[i])
		}
	}
	return all
}

// duckDB runs a query in a DuckDB of its own.
func duckDB(t testing.TB, query string) (all [][]any) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return scanned(t, rows)
}

// scanned reads the rows of a query.
func scanned(t testing.TB, rows *sql.Rows) (all [][]any) {
	t.Helper()
	defer func() { _ = rows.Close() }()
	names, _ := rows.Columns()
	for rows.Next() {
		row, places := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
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

// Power BI and others refuse the encodings of Parquet's version 2.
func TestFilesHaveEncodingsOfVersion1(t *testing.T) {
	s := newSite(t)
	s.alerts(oddAlerts()...)
	commit(t, s.Warehouse, build(t, schema.PolicyStats(), buckets(epoch, 2)...))
	s.publish()
	files := schema.Literal(filepath.Join(s.dir, "*", "*", "*.parquet"))
	for _, row := range duckDB(t, "SELECT DISTINCT encodings FROM parquet_metadata("+files+")") {
		for encoding := range strings.SplitSeq(fmt.Sprint(row[0]), ", ") {
			if !slices.Contains([]string{"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY"}, encoding) {
				t.Errorf("encoding %s", encoding)
			}
		}
	}
}

func TestTheManifestSaysWhatColumnsMean(t *testing.T) {
	s := newSite(t)
	s.publish()
	tables := s.manifest().Tables
	if len(tables) != 4 || tables[0].Name != "alerts" || tables[3].Name != "events_daily" {
		t.Fatalf("tables %+v", tables)
	}
	for _, table := range tables {
		declared := schema.ByName(table.Name)
		if table.Comment != declared.Doc || len(table.Columns) != len(declared.Columns) {
			t.Errorf("%s: %q, %d columns", table.Name, table.Comment, len(table.Columns))
		}
		for i, c := range declared.Columns {
			if want := (lake.Column{Name: c.Name, Type: c.Type.DuckDB(), Privacy: c.Privacy, Comment: c.Doc}); table.Columns[i] != want {
				t.Errorf("%s: %+v, want %+v", table.Name, table.Columns[i], want)
			}
		}
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
