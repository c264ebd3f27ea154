package schema

import (
	"fmt"
	"strings"
)

// Ident quotes a SQL identifier.
func Ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Literal quotes a SQL string.
func Literal(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// DDL returns the statements that make the table and its comments, in order.
// There is deliberately no PRIMARY KEY: see docs/adr/0003-no-indexes.md.
func (t *Table) DDL() []string {
	stored := t.Stored()
	columns := make([]string, len(stored))
	for i, c := range stored {
		columns[i] = "    " + Ident(c.Name) + " " + c.Type.DuckDB()
		if c.NotNull {
			columns[i] += " NOT NULL"
		}
	}
	statements := []string{
		fmt.Sprintf("CREATE TABLE %s (\n%s\n)", Ident(t.Name), strings.Join(columns, ",\n")),
	}
	return append(statements, t.Comments()...)
}

// Comments returns the statements that comment the table and its columns.
func (t *Table) Comments() []string {
	statements := []string{fmt.Sprintf("COMMENT ON TABLE %s IS %s", Ident(t.Name), Literal(t.Doc))}
	for _, c := range t.Stored() {
		statements = append(statements,
			fmt.Sprintf("COMMENT ON COLUMN %s.%s IS %s", Ident(t.Name), Ident(c.Name), Literal(c.Doc)))
	}
	return statements
}
