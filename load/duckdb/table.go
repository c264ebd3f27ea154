package duckdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// SameKey is the condition that rows of the relations a and b have the same key.
func SameKey(t *schema.Table, a, b string) string {
	terms := make([]string, len(t.Key))
	for i, k := range t.Key {
		operator := "IS NOT DISTINCT FROM"
		if c, _ := t.Column(k); c.NotNull {
			operator = "="
		}
		terms[i] = fmt.Sprintf("%s.%s %s %s.%s", a, schema.Ident(k), operator, b, schema.Ident(k))
	}
	return strings.Join(terms, " AND ")
}

// Differs is the condition that a row of the relation t and one of i have different values.
func Differs(t *schema.Table) string {
	var terms []string
	for _, c := range t.Compared() {
		name := schema.Ident(c.Name)
		if c.Type == schema.JSON {
			name += "::VARCHAR" // as text: a field that changed its notation changed
		}
		terms = append(terms, fmt.Sprintf("t.%[1]s IS DISTINCT FROM i.%[1]s", name))
	}
	if len(terms) == 0 {
		return "false"
	}
	return strings.Join(terms, " OR ")
}

// List is a list of expressions.
func List[T any](of []T, expression func(T) string) string {
	all := make([]string, len(of))
	for i, one := range of {
		all[i] = expression(one)
	}
	return strings.Join(all, ", ")
}

// KeyNames lists the columns of the key.
func KeyNames(t *schema.Table) string { return List(t.Key, schema.Ident) }

// Names lists all columns.
func Names(t *schema.Table) string {
	return List(t.Columns, func(c schema.Column) string { return schema.Ident(c.Name) })
}

// Order lists what rows are sorted by: time, then key.
func Order(t *schema.Table) string {
	order := schema.Ident(t.Time)
	for _, k := range t.Key {
		if k != t.Time {
			order += ", " + schema.Ident(k)
		}
	}
	return order
}

// Values lists all columns as Parquet files have them: JSON is plain text, which every
// reader understands.
func Values(t *schema.Table) string {
	return List(t.Columns, func(c schema.Column) string {
		if c.Type == schema.JSON {
			return schema.Ident(c.Name) + "::VARCHAR AS " + schema.Ident(c.Name)
		}
		return schema.Ident(c.Name)
	})
}

// PartitionStart is the start of the partition of a time. Days are computed in whole
// numbers: date_trunc goes through a calendar for every row.
func PartitionStart(t *schema.Table, column string) string {
	if t.Partition == schema.ByMonth {
		return fmt.Sprintf("date_trunc('month', %s)", column)
	}
	const day = int64(24 * time.Hour / time.Microsecond)
	return fmt.Sprintf("make_timestamptz(epoch_us(%[1]s) - (epoch_us(%[1]s) %% %[2]d + %[2]d) %% %[2]d)", column, day)
}

// Padded is a relation of any release with all columns of the table: those that it lacks
// are NULL.
func Padded(t *schema.Table, relation string) string {
	return fmt.Sprintf("(SELECT * FROM %s UNION ALL BY NAME SELECT * FROM %s)", relation, Empty(t))
}

// Empty is a relation with all columns of the table, and no rows.
func Empty(t *schema.Table) string {
	nulls := List(t.Columns, func(c schema.Column) string {
		kind := c.Type.DuckDB()
		if c.Type == schema.JSON {
			kind = "VARCHAR" // as it is in Parquet
		}
		return fmt.Sprintf("NULL::%s AS %s", kind, schema.Ident(c.Name))
	})
	return fmt.Sprintf("(SELECT * FROM (SELECT %s) WHERE false)", nulls)
}

// Stored is a table of a file, whatever release made it.
type Stored struct {
	Schema, Name string
	Columns      []string
	Types        map[string]string // of the columns, by DuckDB's names
}

// Path is the table as SQL, without the database.
func (s Stored) Path() string { return schema.Ident(s.Schema) + "." + schema.Ident(s.Name) }

// TablesIn lists all tables of a database, which is an SQL expression.
func TablesIn(ctx context.Context, db Querier, database string) (tables []Stored, err error) {
	type column struct{ in, table, name, kind string }
	columns, err := ReadRows(ctx, db, func(c *column) []any { return []any{&c.in, &c.table, &c.name, &c.kind} },
		`SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (database_oid, table_oid)
		WHERE database_name = `+database+" ORDER BY schema_name, table_oid, column_index")
	for _, c := range columns {
		if n := len(tables); n == 0 || tables[n-1].Schema != c.in || tables[n-1].Name != c.table {
			tables = append(tables, Stored{Schema: c.in, Name: c.table, Types: map[string]string{}})
		}
		t := &tables[len(tables)-1]
		t.Columns, t.Types[c.name] = append(t.Columns, c.name), c.kind
	}
	return tables, err
}

// ColumnsIn reads which columns the table has in a database; none if it is not there.
// The database is an SQL expression.
func ColumnsIn(ctx context.Context, db Querier, t *schema.Table, database string) (map[string]bool, error) {
	names, err := ReadColumn[string](ctx, db, "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'main' AND database_name = "+database+" AND table_name = ?", t.Name)
	columns := map[string]bool{}
	for _, name := range names {
		columns[name] = true
	}
	return columns, err
}
