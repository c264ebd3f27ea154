package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// batchRows bounds the rows that are decoded at a time.
const batchRows = 16 << 10

// Rows reads one file of the lake. A run may replace the file meanwhile: the rows are those of
// the file that was opened, whose hash is the manifest's.
type Rows struct {
	Schema *arrow.Schema

	file   *os.File
	reader *pqarrow.FileReader
}

// Rows opens a file whose content is the one that the manifest lists, otherwise the error is
// ErrChanged.
func (l *Lake) Rows(f File) (_ *Rows, err error) {
	opened, err := l.root.Open(f.Path)
	if err != nil {
		return nil, errorf("%w: %w", ErrChanged, err)
	}
	defer func() {
		if err != nil {
			_ = opened.Close()
		}
	}()
	hash := sha256.New()
	if _, err := io.Copy(hash, opened); err != nil {
		return nil, errorf("read %s: %w", f.Path, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != f.SHA256 {
		return nil, errorf("%s: %w", f.Path, ErrChanged)
	}
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true // pages as they are needed, not whole columns
	source, err := file.NewParquetReader(opened, file.WithReadProps(props))
	if err != nil {
		return nil, errorf("%s: %w", f.Path, err)
	}
	reader, err := pqarrow.NewFileReader(source, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return nil, errorf("%s: %w", f.Path, err)
	}
	schema, err := reader.Schema()
	if err != nil {
		return nil, errorf("%s: %w", f.Path, err)
	}
	if n := source.NumRows(); n != f.Rows {
		return nil, errorf("%s has %d rows, the manifest says %d", f.Path, n, f.Rows)
	}
	return &Rows{Schema: schema, file: opened, reader: reader}, nil
}

// Batches yields the rows in the file's order. A batch is valid until the next one.
func (r *Rows) Batches(ctx context.Context) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		reader, err := r.reader.GetRecordReader(ctx, nil, nil)
		if err != nil {
			yield(nil, Error{err})
			return
		}
		defer reader.Release()
		for reader.Next() {
			if !yield(reader.RecordBatch(), nil) {
				return
			}
		}
		if err := reader.Err(); err != nil && err != io.EOF { //nolint:errorlint // arrow-go returns it bare
			yield(nil, Error{fmt.Errorf("%s: %w", r.file.Name(), err)})
		}
	}
}

// Close closes the file.
func (r *Rows) Close() error { return r.file.Close() }
