package query

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/arrowmapping"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// last prepares a statement. If DuckDB makes several of it, those before the last
// are run.
func (s *session) last(sql string, use func(mapping.PreparedStatement) error) error {
	extracted, count, err := s.extract(sql)
	defer mapping.DestroyExtracted(&extracted)
	if err != nil {
		return err
	}
	for i := range count {
		if err := s.prepared(extracted, i, i+1 < count, use); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) prepared(all mapping.ExtractedStatements, i mapping.IdxT, run bool, use func(mapping.PreparedStatement) error) error {
	var prepared mapping.PreparedStatement
	defer func() { mapping.DestroyPrepare(&prepared) }()
	if mapping.PrepareExtractedStatement(s.connection, all, i, &prepared) == mapping.StateError {
		return s.failure(mapping.PrepareError(prepared))
	}
	if err := s.bind(prepared); err != nil {
		return err
	}
	if !run {
		return use(prepared)
	}
	return s.execute(prepared, func(*mapping.Result) error { return nil })
}

// execute begins a statement. Its result is computed while it is read: DuckDB would
// keep a whole one in memory, which no limit of it counts.
func (s *session) execute(prepared mapping.PreparedStatement, use func(*mapping.Result) error) error {
	var pending mapping.PendingResult
	defer func() { mapping.DestroyPending(&pending) }()
	// The function is deprecated with the others of its kind, and has no successor yet.
	if bindings.PendingPreparedStreaming(prepared, &pending) == mapping.StateError {
		return s.failure(mapping.PendingError(pending))
	}
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if mapping.ExecutePending(pending, &result) == mapping.StateError {
		return s.failure(mapping.ResultError(&result))
	}
	return use(&result)
}

// batches are the rows of a result. A batch is valid until the next one.
type batches = iter.Seq2[arrow.RecordBatch, error]

// read runs a statement and hands over its rows. Where one thread fails, DuckDB
// sometimes reports that it interrupted the others instead of why: then the statement
// runs again for its error alone.
func (s *session) read(ctx context.Context, sql string, use func(*arrow.Schema, batches) error) error {
	err := s.stream(ctx, sql, use)
	for try := 0; try < 3 && isInterrupt(err) && ctx.Err() == nil; try++ {
		err = cmp.Or(s.stream(ctx, sql, drain), err)
	}
	return err
}

func isInterrupt(err error) bool {
	var known *StatementError
	return errors.As(err, &known) && strings.HasPrefix(known.Text, "INTERRUPT Error")
}

// drain reads rows and does nothing with them.
func drain(_ *arrow.Schema, all batches) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) stream(ctx context.Context, sql string, use func(*arrow.Schema, batches) error) error {
	return s.last(sql, func(prepared mapping.PreparedStatement) error {
		return s.execute(prepared, func(result *mapping.Result) error {
			options := arrowmapping.ResultGetArrowOptions(result)
			defer arrowmapping.DestroyArrowOptions(&options)
			shape, err := arrowSchema(options, result)
			if err != nil {
				return err
			}
			return use(shape, func(yield func(arrow.RecordBatch, error) bool) {
				for ctx.Err() == nil {
					batch, err := s.batch(options, shape, result)
					if batch == nil && err == nil {
						return
					}
					more := yield(batch, err)
					if batch != nil {
						batch.Release()
					}
					if !more || err != nil {
						return
					}
				}
				yield(nil, context.Cause(ctx))
			})
		})
	})
}

// batch is the next one, or nil after the last.
func (s *session) batch(options arrowmapping.ArrowOptions, shape *arrow.Schema, result *mapping.Result) (arrow.RecordBatch, error) {
	chunk := mapping.FetchChunk(*result)
	if chunk.Ptr == nil {
		if cause := mapping.ResultError(result); cause != "" {
			return nil, s.failure(cause)
		}
		return nil, nil
	}
	defer mapping.DestroyDataChunk(&chunk)
	batch, failed := arrowmapping.DataChunkToArrowArray(options, shape, chunk)
	defer mapping.DestroyErrorData(&failed)
	if failed.Ptr != nil && mapping.ErrorDataHasError(failed) {
		return nil, s.failure(mapping.ErrorDataMessage(failed))
	}
	return batch, nil
}

func arrowSchema(options arrowmapping.ArrowOptions, result *mapping.Result) (*arrow.Schema, error) {
	count := mapping.ColumnCount(result)
	names, types := make([]string, count), make([]mapping.LogicalType, count)
	for i := range count {
		names[i], types[i] = mapping.ColumnName(result, i), mapping.ColumnLogicalType(result, i)
		defer mapping.DestroyLogicalType(&types[i])
	}
	shape, failed := arrowmapping.NewArrowSchema(options, types, names)
	defer mapping.DestroyErrorData(&failed)
	if failed.Ptr != nil && mapping.ErrorDataHasError(failed) {
		return nil, refused("%s", mapping.ErrorDataMessage(failed))
	}
	return shape, nil
}

// rows are the values of a statement as texts; nil is NULL. A row is valid until the
// next one.
func (s *session) rows(ctx context.Context, sql string, use func([]*string) error) error {
	return s.read(ctx, sql, func(_ *arrow.Schema, all batches) error {
		for batch, err := range all {
			if err != nil {
				return err
			}
			row := make([]*string, batch.NumCols())
			for i := range int(batch.NumRows()) {
				for c, values := range batch.Columns() {
					row[c] = valueText(values, i)
				}
				if err := use(row); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// texts are all rows of a statement of our own, which is short; "" is NULL, too.
func (s *session) texts(ctx context.Context, sql string) (all [][]string, err error) {
	err = s.rows(ctx, sql, func(values []*string) error {
		row := make([]string, len(values))
		for i, value := range values {
			if value != nil {
				row[i] = strings.Clone(*value)
			}
		}
		all = append(all, row)
		return nil
	})
	return all, err
}

func valueText(values arrow.Array, i int) *string {
	if values.IsNull(i) {
		return nil
	}
	var value string
	if texts, ok := values.(*array.String); ok {
		value = texts.Value(i)
	} else {
		value = values.ValueStr(i)
	}
	return &value
}
