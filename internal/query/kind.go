package query

import (
	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// kind is how the formats treat a type.
type kind int

const (
	free    kind = iota // text that anybody may have written
	bound               // text whose form DuckDB decides, such as a time
	day                 // a date
	moment              // a date with a time
	number              // an integer or a decimal number
	inexact             // a number in floating point
	boolean             // true or false
	nested              // what JSON has its own form for
)

func kindOf(logical mapping.LogicalType) kind {
	if mapping.LogicalTypeGetAlias(logical) == "JSON" {
		return nested
	}
	switch duckdb.Type(mapping.GetTypeId(logical)) {
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT, duckdb.TYPE_HUGEINT,
		duckdb.TYPE_UTINYINT, duckdb.TYPE_USMALLINT, duckdb.TYPE_UINTEGER, duckdb.TYPE_UBIGINT, duckdb.TYPE_UHUGEINT,
		duckdb.TYPE_BIGNUM, duckdb.TYPE_DECIMAL:
		return number
	case duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE:
		return inexact
	case duckdb.TYPE_BOOLEAN:
		return boolean
	case duckdb.TYPE_LIST, duckdb.TYPE_ARRAY, duckdb.TYPE_STRUCT, duckdb.TYPE_MAP, duckdb.TYPE_UNION:
		return nested
	case duckdb.TYPE_DATE:
		return day
	case duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_S, duckdb.TYPE_TIMESTAMP_MS, duckdb.TYPE_TIMESTAMP_NS, duckdb.TYPE_TIMESTAMP_TZ:
		return moment
	case duckdb.TYPE_TIME, duckdb.TYPE_TIME_TZ, duckdb.TYPE_INTERVAL, duckdb.TYPE_UUID, duckdb.TYPE_BIT:
		return bound
	}
	return free
}

// numeric reports whether values of the kind are numbers.
func (k kind) numeric() bool { return k == number || k == inexact }

// storedAs is the type in which Parquet and Arrow files hold a column exactly, "" for
// its own. DuckDB would make a DOUBLE of a HUGEINT, which is what sum() returns.
func storedAs(logical mapping.LogicalType) string {
	switch duckdb.Type(mapping.GetTypeId(logical)) {
	case duckdb.TYPE_HUGEINT, duckdb.TYPE_UHUGEINT:
		return "DECIMAL(38, 0)"
	case duckdb.TYPE_BIGNUM, duckdb.TYPE_BIT, duckdb.TYPE_TIME_TZ:
		return "VARCHAR"
	}
	return ""
}
