package schema

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// Type is a column's logical type. It fixes the DuckDB, Arrow and Parquet types.
type Type int

const (
	// Text is UTF-8, kept exactly as the source sent it.
	Text Type = iota
	// Timestamp is an instant in UTC, resolution one microsecond.
	Timestamp
	// BigInt is a signed 64-bit integer.
	BigInt
	// Double is an IEEE 754 64-bit number.
	Double
	// Boolean is true or false.
	Boolean
	// JSON is the text of one JSON value.
	JSON
	// Date is a day in UTC.
	Date
)

// DuckDB is the column type in DDL.
func (t Type) DuckDB() string {
	return [...]string{"VARCHAR", "TIMESTAMPTZ", "BIGINT", "DOUBLE", "BOOLEAN", "JSON", "DATE"}[t]
}

// Arrow is the column type in record batches and Parquet files. JSON travels as
// plain UTF-8, which every Parquet reader understands.
func (t Type) Arrow() arrow.DataType {
	switch t {
	case Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case BigInt:
		return arrow.PrimitiveTypes.Int64
	case Double:
		return arrow.PrimitiveTypes.Float64
	case Boolean:
		return arrow.FixedWidthTypes.Boolean
	case Date:
		return arrow.FixedWidthTypes.Date32
	default:
		return arrow.BinaryTypes.String
	}
}

// Origin says who writes a column.
type Origin int

const (
	// FromRecord columns are decoded from the API's record.
	FromRecord Origin = iota
	// FromRequest columns repeat what was asked (a scope, a window).
	FromRequest
	// Unknown is the one column that keeps the record's fields we do not know.
	Unknown
	// Bookkeeping columns are filled by the loader.
	Bookkeeping
)

// Privacy says what a column can reveal, for those who grant access to it.
type Privacy string

const (
	// Public values say nothing about a person or a conversation.
	Public Privacy = "public"
	// Internal values name the organisation's own things: repos, keys, hosts.
	Internal Privacy = "internal"
	// Personal values identify a person.
	Personal Privacy = "personal"
	// Content may quote what a person wrote.
	Content Privacy = "content"
)

// Column declares one column.
type Column struct {
	Name    string
	API     string // the field's name in the API's JSON; "" if it has none
	Type    Type
	NotNull bool
	Origin  Origin
	Privacy Privacy
	Doc     string
	Values  []string // all values, if the column has few; the source may add to those of a record
	Entity  string   // what the column identifies or names, such as User; "" if nothing that has ids
	IDOf    string   // of a name: the column with the id of what it names
}

func text(name, api string, privacy Privacy, doc string) Column {
	return Column{Name: name, API: api, Type: Text, Privacy: privacy, Doc: doc}
}

// id is a column that identifies something.
func id(entity, name, api string, privacy Privacy, doc string) Column {
	c := text(name, api, privacy, doc)
	c.Entity = entity
	return c
}

// nameOf is a column with the name of what the column idColumn identifies.
func nameOf(entity, idColumn, name, api string, privacy Privacy, doc string) Column {
	c := id(entity, name, api, privacy, doc)
	c.IDOf = idColumn
	return c
}

func count(name, api, doc string) Column {
	return Column{Name: name, API: api, Type: BigInt, Privacy: Public, Doc: doc}
}

func number(name, api, doc string) Column {
	return Column{Name: name, API: api, Type: Double, Privacy: Public, Doc: doc}
}

func (c Column) required() Column {
	c.NotNull = true
	return c
}

func (c Column) oneOf(values ...string) Column {
	c.Values = values
	return c
}

func (c Column) from(o Origin) Column {
	c.Origin = o
	return c
}

func instant(name, doc string) Column {
	return Column{Name: name, Type: Timestamp, Privacy: Public, Doc: doc}
}
