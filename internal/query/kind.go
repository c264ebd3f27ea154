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
	number              // a number
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
		duckdb.TYPE_BIGNUM, duckdb.TYPE_DECIMAL, duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE:
		return number
	case duckdb.TYPE_BOOLEAN:
		return boolean
	case duckdb.TYPE_LIST, duckdb.TYPE_ARRAY, duckdb.TYPE_STRUCT, duckdb.TYPE_MAP, duckdb.TYPE_UNION:
		return nested
	case duckdb.TYPE_DATE, duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_S, duckdb.TYPE_TIMESTAMP_MS, duckdb.TYPE_TIMESTAMP_NS, duckdb.TYPE_TIMESTAMP_TZ,
		duckdb.TYPE_TIME, duckdb.TYPE_TIME_TZ, duckdb.TYPE_INTERVAL, duckdb.TYPE_UUID, duckdb.TYPE_BIT:
		return bound
	}
	return free
}

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
