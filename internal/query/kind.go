package query

import (
	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/flashback-sync/flashback-sync/internal/format"
)

func kindOf(logical mapping.LogicalType) format.Kind {
	if mapping.LogicalTypeGetAlias(logical) == "JSON" {
		return format.Nested
	}
	switch duckdb.Type(mapping.GetTypeId(logical)) {
	case duckdb.TYPE_TINYINT, duckdb.TYPE_SMALLINT, duckdb.TYPE_INTEGER, duckdb.TYPE_BIGINT, duckdb.TYPE_HUGEINT,
		duckdb.TYPE_UTINYINT, duckdb.TYPE_USMALLINT, duckdb.TYPE_UINTEGER, duckdb.TYPE_UBIGINT, duckdb.TYPE_UHUGEINT,
		duckdb.TYPE_BIGNUM, duckdb.TYPE_DECIMAL:
		return format.Number
	case duckdb.TYPE_FLOAT, duckdb.TYPE_DOUBLE:
		return format.Inexact
	case duckdb.TYPE_BOOLEAN:
		return format.Boolean
	case duckdb.TYPE_LIST, duckdb.TYPE_ARRAY, duckdb.TYPE_STRUCT, duckdb.TYPE_MAP, duckdb.TYPE_UNION:
		return format.Nested
	case duckdb.TYPE_DATE:
		return format.Day
	case duckdb.TYPE_TIMESTAMP, duckdb.TYPE_TIMESTAMP_S, duckdb.TYPE_TIMESTAMP_MS, duckdb.TYPE_TIMESTAMP_NS, duckdb.TYPE_TIMESTAMP_TZ:
		return format.Moment
	case duckdb.TYPE_TIME, duckdb.TYPE_TIME_TZ, duckdb.TYPE_INTERVAL, duckdb.TYPE_UUID, duckdb.TYPE_BIT:
		return format.Bound
	}
	return format.Free
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
