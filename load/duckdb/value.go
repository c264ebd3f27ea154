package duckdb

import (
	"fmt"

	"github.com/flashback-sync/flashback-sync/schema"
)

// NewValue replaces the values of a column by a function of the value and, for a name, of
// the id beside it; a nil is NULL.
type NewValue struct {
	schema.TableColumn
	Value func(text, id *string) *string
}

// Function is the name that the nth function gets in SQL.
func (v NewValue) Function(n int) string { return fmt.Sprintf("treat_%d", n) }

// Call is the function as RegisterFunction takes it, with two arguments.
func (v NewValue) Call(arguments []*string) *string { return v.Value(arguments[0], arguments[1]) }

// Expression is the SQL of the new value, by a function of that name.
func (v NewValue) Expression(function string) string {
	id := "NULL"
	if v.IDOf != "" {
		id = schema.Ident(v.IDOf)
	}
	call := fmt.Sprintf("%s(%s::VARCHAR, %s)", function, schema.Ident(v.Column.Name), id)
	if v.Type == schema.JSON {
		call += "::JSON"
	}
	return call
}
