package schema

import (
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
	Columns   []Column
	Key       []string // what identifies a row; NULLs in it are equal
	Time      string   // the column that dates a row; rows are sorted and partitioned by it
	Partition Partition
}

// PartitionStart is the start of the partition that holds an instant (UTC).
func (t *Table) PartitionStart(at time.Time) time.Time {
	at = at.UTC()
	if t.Partition == ByMonth {
		return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
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
	var out []Column
	for _, c := range t.Columns {
		if c.Origin != Bookkeeping {
			out = append(out, c)
		}
	}
	return out
}

// Compared lists the columns that decide whether a row changed: those of a batch
// that are not part of the key.
func (t *Table) Compared() []Column {
	var out []Column
	for _, c := range t.Batch() {
		if !t.isKey(c.Name) {
			out = append(out, c)
		}
	}
	return out
}

func (t *Table) isKey(name string) bool {
	for _, k := range t.Key {
		if k == name {
			return true
		}
	}
	return false
}

// BatchSchema is the Arrow schema of a batch on its way to the loader.
func (t *Table) BatchSchema() *arrow.Schema {
	columns := t.Batch()
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: !c.NotNull}
	}
	return arrow.NewSchema(fields, nil)
}
