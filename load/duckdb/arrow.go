package duckdb

import (
	"database/sql"
	"database/sql/driver"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"
)

// WithView registers a batch as the view incoming while a function runs. The view is a
// stream that can be read once. Every statement must read all of its columns: DuckDB
// assumes that the stream has only the columns that the statement reads, and would read
// the wrong ones. The view is not temporary: a transaction that is to be committed drops it.
func WithView(conn *sql.Conn, record arrow.RecordBatch, use func() error) error {
	reader, err := array.NewRecordReader(record.Schema(), []arrow.RecordBatch{record})
	if err != nil {
		return err
	}
	defer reader.Release()
	var release func()
	err = conn.Raw(func(raw any) error {
		a, err := duckdb.NewArrowFromConn(raw.(driver.Conn))
		if err == nil {
			release, err = a.RegisterView(reader, "incoming")
		}
		return err
	})
	if err != nil {
		return err
	}
	defer release()
	return use()
}
