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

// Function is a scalar SQL function over texts; a nil is NULL. Its result must depend on its
// arguments only: it is called more or less than once a row. One goroutine at a time calls it.
type Function struct {
	Arguments int
	Call      func(arguments []*string) *string
}

// RegisterFunctions makes functions known to SQL by their name, as long as the database is
// open.
func RegisterFunctions(conn *sql.Conn, functions map[string]Function) error {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	for name, f := range functions {
		if err == nil {
			err = duckdb.RegisterScalarUDF(conn, name, &function{f, text})
		}
	}
	return err
}

// function is a scalar function of DuckDB.
type function struct {
	Function
	text duckdb.TypeInfo
}

// Config is called by the driver.
func (f *function) Config() duckdb.ScalarFuncConfig {
	inputs := make([]duckdb.TypeInfo, f.Arguments)
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
	inputs := make([]duckdb.VectorView[string], f.Arguments)
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
	values, arguments := make([]string, f.Arguments), make([]*string, f.Arguments)
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
		if err := write(results, row, f.Call(arguments)); err != nil {
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
