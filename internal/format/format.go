// Package format writes rows as a table, CSV, JSON or a workbook for Excel, so that
// neither a terminal nor a spreadsheet takes a text of strangers for a command.
package format

// Rows are the result of a statement.
type Rows struct {
	Columns []Column
	// Each hands over one row after another: DuckDB's own texts of the values, nil for
	// NULL. A row is valid until the next one.
	Each func(func([]*string) error) error
}

// Column is the name and kind of a column.
type Column struct {
	Name string
	Kind Kind
}

// Kind is how the formats treat a type.
type Kind int

// The kinds of columns.
const (
	Free    Kind = iota // text that anybody may have written
	Bound               // text whose form DuckDB decides, such as a time
	Day                 // a date
	Moment              // a date with a time
	Number              // an integer or a decimal number
	Inexact             // a number in floating point
	Boolean             // true or false
	Nested              // what JSON has its own form for; for JSON its text is JSON
)

// numeric reports whether values of the kind are numbers.
func (k Kind) numeric() bool { return k == Number || k == Inexact }
