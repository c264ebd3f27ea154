// Package schema declares the tables, once.
//
// Everything that depends on a table's shape is derived from its declaration
// here: the DuckDB DDL and comments, the Arrow schema that batches and Parquet
// files carry, the decoding of the API's records, and the data dictionary that
// `flashback-sync schema` prints. A column added here exists everywhere.
//
// Names are the API's names in snake_case. Columns whose names begin with an
// underscore are written by flashback-sync itself. All times are UTC with
// microsecond resolution.
package schema
