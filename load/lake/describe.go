package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// describe makes the manifest entry of a finished file from its content; nil if it has no
// rows.
func describe(part partition, written *os.File) (*File, error) {
	reader, err := file.NewParquetReader(struct {
		io.ReaderAt
		io.Seeker
	}{written, written})
	if err != nil {
		return nil, err
	}
	f := &File{Table: part.table.Name, Path: part.path(), Rows: reader.NumRows()}
	if f.Rows == 0 {
		return nil, nil
	}
	timed := reader.MetaData().Schema.ColumnIndexByName(part.table.Time)
	for group := range reader.NumRowGroups() {
		column, err := reader.MetaData().RowGroup(group).ColumnChunk(timed)
		if err != nil {
			return nil, err
		}
		statistics, err := column.Statistics()
		if err != nil {
			return nil, err
		}
		oldest, newest, ok := boundsOf(statistics)
		if !ok {
			return nil, errors.New("the file has no statistics of its time column")
		}
		if group == 0 || oldest.Before(f.Oldest) {
			f.Oldest = oldest
		}
		if group == 0 || newest.After(f.Newest) {
			f.Newest = newest
		}
	}
	sum := sha256.New()
	f.Bytes, err = io.Copy(sum, io.NewSectionReader(written, 0, 1<<62))
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, err
}

// boundsOf are the first and the last time of a row group: of timestamps or, in derived
// tables, of days.
func boundsOf(statistics metadata.TypedStatistics) (oldest, newest time.Time, ok bool) {
	if statistics == nil || !statistics.HasMinMax() {
		return time.Time{}, time.Time{}, false
	}
	switch s := statistics.(type) {
	case *metadata.Int64Statistics:
		return time.UnixMicro(s.Min()).UTC(), time.UnixMicro(s.Max()).UTC(), true
	case *metadata.Int32Statistics:
		return arrow.Date32(s.Min()).ToTime(), arrow.Date32(s.Max()).ToTime(), true
	}
	return time.Time{}, time.Time{}, false
}
