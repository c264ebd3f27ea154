package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// RegisterFunction makes a function over texts known to SQL, as long as the database is
// open. A nil is NULL. DuckDB may call it less often than there are rows, where their
// arguments are equal.
func RegisterFunction(conn *sql.Conn, name string, arguments int, call func([]*string) *string) error {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return err
	}
	return duckdb.RegisterScalarUDF(conn, name, &function{text, arguments, call})
}

// function is a scalar function of DuckDB.
type function struct {
	text      duckdb.TypeInfo
	arguments int
	call      func([]*string) *string
}

// Config is called by the driver.
func (f *function) Config() duckdb.ScalarFuncConfig {
	inputs := make([]duckdb.TypeInfo, f.arguments)
	for i := range inputs {
		inputs[i] = f.text
	}
	return duckdb.ScalarFuncConfig{InputTypeInfos: inputs, ResultTypeInfo: f.text, SpecialNullHandling: true}
}

// Executor is called by the driver.
func (f *function) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{ChunkContextExecutor: f.execute}
}

// execute computes the values of up to 2,048 rows. DuckDB calls it.
func (f *function) execute(_ context.Context, chunk *duckdb.ChunkIteratorState) error {
	defer crash.Exit()
	rows := chunk.GetInputChunk()
	inputs := make([]duckdb.VectorView[string], f.arguments)
	for i := range inputs {
		vector, err := rows.GetVector(i)
		if err != nil {
			return err
		}
		if inputs[i], err = duckdb.GetVectorView[string](vector); err != nil {
			return err
		}
	}
	results, err := duckdb.GetVectorWriter[string](chunk.GetResultVector())
	if err != nil {
		return err
	}
	values, arguments := make([]string, f.arguments), make([]*string, f.arguments)
	for row := range rows.GetSize() {
		for i, input := range inputs {
			arguments[i] = nil
			value, valid, err := input.GetValueBorrowed(row)
			if err != nil {
				return err
			}
			if valid {
				values[i] = strings.Clone(value) // DuckDB's memory ends with the call
				arguments[i] = &values[i]
			}
		}
		if err := write(results, row, f.call(arguments)); err != nil {
			return err
		}
	}
	return nil
}

func write(results duckdb.VectorWriter[string], row int, value *string) error {
	if value == nil {
		return results.SetNull(row)
	}
	if !utf8.ValidString(*value) { // DuckDB would make it NULL
		return errors.New("a function returned a text that is not UTF-8")
	}
	return results.Set(row, *value)
}
