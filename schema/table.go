package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// Partition says how a table is cut into Parquet files.
type Partition int

const (
	// Unpartitioned tables are not written to the lake.
	Unpartitioned Partition = iota
	// ByDay tables have one file for each UTC day: date=2024-01-15.
	ByDay
	// ByMonth tables have one file for each UTC month: month=2024-01.
	ByMonth
)

// Table declares one table.
type Table struct {
	Name      string
	Doc       string
	Columns   []Column // as Parquet files have them
	Key       []string // what identifies a row; NULLs in it are equal
	Time      string   // the column that dates a row; rows are sorted and partitioned by it
	Partition Partition
	Derived   string // the query that computes the rows of the days in changed_days from other tables; "" if it is not derived
}

// PartitionStart is the start of the partition that holds an instant (UTC).
func (t *Table) PartitionStart(at time.Time) time.Time {
	at = at.UTC()
	if t.Partition == ByMonth {
		return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// PartitionColumn is the column that names a row's partition, or nil. In the lake the
// folders carry it (date=2024-01-15) and no file does; in DuckDB the table has it, so that
// the same SQL works on both, and a condition on it reads only the rows of its days.
func (t *Table) PartitionColumn() *Column {
	switch t.Partition {
	case ByDay:
		return &Column{Name: "date", Type: Date, Privacy: Public, Origin: Bookkeeping, Doc: "UTC day of " + t.Time + "; in the lake the folder has it."}
	case ByMonth:
		return &Column{Name: "month", Type: Text, Privacy: Public, Origin: Bookkeeping, Doc: "UTC month of " + t.Time + ", as 2024-01; in the lake the folder has it."}
	}
	return nil
}

// PartitionValue is the SQL of the partition column's value for a row dated by the
// expression at.
func (t *Table) PartitionValue(at string) string {
	if t.Partition == ByMonth {
		return "strftime(make_timestamp(epoch_us(" + at + ")), '%Y-%m')"
	}
	return "CAST(make_timestamp(epoch_us(" + at + ")) AS DATE)"
}

// Stored lists the columns of the table in DuckDB: those of its files, then the
// partition column.
func (t *Table) Stored() []Column {
	if c := t.PartitionColumn(); c != nil {
		return append(slices.Clone(t.Columns), *c)
	}
	return t.Columns
}

// Column finds a column by name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Batch lists the columns that a batch on its way to the loader carries: all but
// the loader's own.
func (t *Table) Batch() []Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return c.Origin == Bookkeeping })
}

// Compared lists the columns that decide whether a row changed: those of a batch
// that are not part of the key.
func (t *Table) Compared() []Column {
	return slices.DeleteFunc(t.Batch(), func(c Column) bool { return t.isKey(c.Name) })
}

func (t *Table) isKey(name string) bool { return slices.Contains(t.Key, name) }

// BatchSchema is the Arrow schema of a batch on its way to the loader.
func (t *Table) BatchSchema() *arrow.Schema {
	columns := t.Batch()
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: !c.NotNull}
	}
	return arrow.NewSchema(fields, nil)
}

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
