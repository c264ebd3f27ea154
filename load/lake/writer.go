package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// rowGroup is the number of rows of a row group, DuckDB's own: readers skip whole
// groups by their statistics.
const rowGroup = 122_880

// writer writes one Parquet file beside its place.
type writer struct {
	partition partition
	pending   *durable.File
	sum       hash.Hash
	parquet   *pqarrow.FileWriter
	timed     int // column that dates a row
	rows      int64
	oldest    time.Time
	newest    time.Time
}

func (l *publication) create(p partition) (*writer, error) {
	target := filepath.Join(l.Dir, filepath.FromSlash(p.path()))
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return nil, err
	}
	pending, err := durable.Create(target)
	if err != nil {
		return nil, err
	}
	w := &writer{partition: p, pending: pending, sum: sha256.New()}
	columns := p.table.ArrowSchema()
	w.timed = columns.FieldIndices(p.table.Time)[0]
	// Only the Write method is handed on: pqarrow would close the file too early.
	sink := struct{ io.Writer }{io.MultiWriter(pending, w.sum)}
	w.parquet, err = pqarrow.NewFileWriter(columns, sink, l.properties(p.table), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, errors.Join(err, pending.Abort())
	}
	return w, nil
}

// properties choose the encodings. Columns that hardly repeat gain nothing from a
// dictionary.
func (l *publication) properties(table *schema.Table) *parquet.WriterProperties {
	codec := map[string]compress.Compression{
		"zstd": compress.Codecs.Zstd, "snappy": compress.Codecs.Snappy, "none": compress.Codecs.Uncompressed,
	}[l.Compression]
	options := []parquet.WriterProperty{
		parquet.WithCompression(codec), parquet.WithStats(true), parquet.WithMaxRowGroupLength(rowGroup),
		parquet.WithCreatedBy(l.Generator), parquet.WithVersion(parquet.V2_LATEST),
	}
	for i, c := range table.Columns {
		if c.Name == "id" {
			options = append(options, parquet.WithDictionaryFor(c.Name, false))
		}
		if c.Name == table.Time {
			options = append(options, parquet.WithSortingColumns([]parquet.SortingColumn{{ColumnIdx: int32(i)}})) //nolint:gosec // a few dozen columns
		}
	}
	return parquet.NewWriterProperties(options...)
}

func (w *writer) write(rows arrow.RecordBatch) error {
	times := rows.Column(w.timed).(*array.Timestamp)
	if w.rows == 0 {
		w.oldest = timeAt(times, 0)
	}
	w.newest = timeAt(times, times.Len()-1)
	w.rows += rows.NumRows()
	return w.parquet.WriteBuffered(rows)
}

func timeAt(times *array.Timestamp, i int) time.Time { return time.UnixMicro(int64(times.Value(i))).UTC() }

func (w *writer) abort() error { return w.pending.Abort() }

// commit puts the file in its place and describes it.
func (w *writer) commit() (*File, error) {
	if err := w.parquet.Close(); err != nil {
		return nil, errors.Join(err, w.abort())
	}
	bytes, err := w.pending.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, errors.Join(err, w.abort())
	}
	if err := w.pending.Commit(); err != nil {
		return nil, err
	}
	return &File{
		Table: w.partition.table.Name, Path: w.partition.path(), Rows: w.rows, Bytes: bytes,
		SHA256: hex.EncodeToString(w.sum.Sum(nil)), Oldest: w.oldest, Newest: w.newest,
	}, nil
}
