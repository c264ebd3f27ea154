package duckdb

import (
	"fmt"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Treating replaces stored values by functions.
type Treating struct {
	Values []NewValue
	// Reject gives the new text and reason of a reject.
	Reject func(stream, raw, reason string) (newRaw, newReason string)
}

// NewValue replaces the values of a column by a function of the value and, for a name, of
// the id beside it; a nil is NULL.
type NewValue struct {
	schema.TableColumn
	Value func(text, id *string) *string
}

// Functions are those that Columns calls, by name.
func (t Treating) Functions() map[string]Function {
	functions := map[string]Function{
		"treat_raw":    {Arguments: 3, Call: func(a []*string) *string { raw, _ := t.Reject(*a[0], *a[1], *a[2]); return &raw }},
		"treat_reason": {Arguments: 3, Call: func(a []*string) *string { _, reason := t.Reject(*a[0], *a[1], *a[2]); return &reason }},
	}
	for i, v := range t.Values {
		functions[fmt.Sprintf("treat_%d", i)] = Function{Arguments: 2, Call: func(a []*string) *string { return v.Value(a[0], a[1]) }}
	}
	return functions
}

// Columns is the SQL of the new values, by table and column.
func (t Treating) Columns() map[string]map[string]string {
	columns := map[string]map[string]string{schema.RejectedRecords().Name: {
		"raw": "treat_raw(stream, raw, reason)", "reason": "treat_reason(stream, raw, reason)",
	}}
	for i, v := range t.Values {
		id := "NULL"
		if v.IDOf != "" {
			id = schema.Ident(v.IDOf)
		}
		call := fmt.Sprintf("treat_%d(%s::VARCHAR, %s)", i, schema.Ident(v.Column.Name), id)
		if v.Type == schema.JSON {
			call += "::JSON"
		}
		if columns[v.Table.Name] == nil {
			columns[v.Table.Name] = map[string]string{}
		}
		columns[v.Table.Name][v.Column.Name] = call
	}
	return columns
}
