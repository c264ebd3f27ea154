package lake

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// groupBytes limits the values of a row group, which is kept in memory until it is
// complete.
const groupBytes = 64 << 20

// writer writes one Parquet file without DuckDB: slower, but of any size.
type writer struct {
	parquet *pqarrow.FileWriter
	group   struct{ rows, bytes int64 } // of the row group being written
}

// writeRows writes the file of a partition that Copy declined.
func (l *publication) writeRows(ctx context.Context, part partition, to io.Writer) error {
	properties, err := l.properties(part.table)
	if err != nil {
		return err
	}
	w := &writer{}
	// Only the Write method is passed on: pqarrow would close the file too early.
	sink := struct{ io.Writer }{to}
	w.parquet, err = pqarrow.NewFileWriter(part.table.ArrowSchema(), sink, properties, pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for batch, err := range l.source.Rows(ctx, part.table, part.start, part.end()) {
		if err == nil {
			err = w.write(batch)
		}
		if err != nil {
			return errors.Join(err, w.parquet.Close())
		}
	}
	return w.parquet.Close()
}

// write appends rows and starts a new row group when one is full.
func (w *writer) write(rows arrow.RecordBatch) error {
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

// textBytes is the length of all text in the rows; the rest is small.
func textBytes(rows arrow.RecordBatch) (bytes int64) {
	for _, column := range rows.Columns() {
		if text, ok := column.(*array.String); ok {
			bytes += int64(len(text.ValueBytes()))
		}
	}
	return bytes
}
