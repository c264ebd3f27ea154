package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"time"

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
		bounds, ok := statistics.(*metadata.Int64Statistics)
		if !ok || !bounds.HasMinMax() {
			return nil, errors.New("the file has no statistics of its time column")
		}
		if oldest := time.UnixMicro(bounds.Min()).UTC(); group == 0 || oldest.Before(f.Oldest) {
			f.Oldest = oldest
		}
		if newest := time.UnixMicro(bounds.Max()).UTC(); group == 0 || newest.After(f.Newest) {
			f.Newest = newest
		}
	}
	sum := sha256.New()
	f.Bytes, err = io.Copy(sum, io.NewSectionReader(written, 0, 1<<62))
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, err
}
