package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"path"
	"path/filepath"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

const (
	// groupRows is the number of rows of a row group, DuckDB's own: readers skip
	// whole groups by their statistics.
	groupRows = 122_880
	// groupBytes bounds the values of a row group, which is held in memory until
	// it is whole.
	groupBytes = 64 << 20
)

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
	group     struct{ rows, bytes int64 } // of the row group being written
}

func (l *publication) create(p partition) (*writer, error) {
	properties, err := l.properties(p.table)
	if err != nil {
		return nil, err
	}
	if err := l.makeFolder(path.Dir(p.path())); err != nil {
		return nil, err
	}
	pending, err := durable.Create(filepath.Join(l.Dir, filepath.FromSlash(p.path())))
	if err != nil {
		return nil, err
	}
	w := &writer{partition: p, pending: pending, sum: sha256.New()}
	columns := p.table.ArrowSchema()
	w.timed = columns.FieldIndices(p.table.Time)[0]
	// Only the Write method is handed on: pqarrow would close the file too early.
	sink := struct{ io.Writer }{io.MultiWriter(pending, w.sum)}
	w.parquet, err = pqarrow.NewFileWriter(columns, sink, properties, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, errors.Join(err, pending.Abort())
	}
	return w, nil
}

// write appends rows, cut where a row group is full.
func (w *writer) write(rows arrow.RecordBatch) error {
	times := rows.Column(w.timed).(*array.Timestamp)
	if w.rows == 0 {
		w.oldest = timeAt(times, 0)
	}
	w.newest = timeAt(times, times.Len()-1)
	w.rows += rows.NumRows()
	for from := int64(0); from < rows.NumRows(); {
		if w.group.rows >= groupRows || w.group.bytes >= groupBytes {
			if err := w.parquet.NewBufferedRowGroupChecked(); err != nil {
				return err
			}
			w.group.rows, w.group.bytes = 0, 0
		}
		to := min(rows.NumRows(), from+groupRows-w.group.rows)
		part := rows.NewSlice(from, to)
		err := w.parquet.WriteBuffered(part)
		w.group.rows, w.group.bytes = w.group.rows+part.NumRows(), w.group.bytes+textBytes(part)
		part.Release()
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// textBytes is the length of all text in the rows; the rest has a small bound.
func textBytes(rows arrow.RecordBatch) (bytes int64) {
	for _, column := range rows.Columns() {
		if text, ok := column.(*array.String); ok {
			bytes += int64(len(text.ValueBytes()))
		}
	}
	return bytes
}

func timeAt(times *array.Timestamp, i int) time.Time {
	return time.UnixMicro(int64(times.Value(i))).UTC()
}

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
