// Package tables declares the Iceberg tables of a lake: columns, partitions, order and
// properties. Everything derives from the manifest.
package tables

import (
	"fmt"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/lake"
)

// OrgColumn is the first column and the leading partition of every table.
const OrgColumn = "org"

// The partition fields' ids: every table has org, all but the lists a period.
const (
	OrgField    = 1000
	PeriodField = 1001
)

// Table is one table as this program creates it.
type Table struct {
	Name    string
	Comment string
	Columns []Column // without org
	Time    string   // the column that partitions and sorts; "" for a list
	Month   bool     // a partition is a month, not a day
}

// Column is one column. The bounds of a private one are written nowhere.
type Column struct {
	Name    string
	Type    iceberg.Type
	Doc     string
	Private bool
}

// types maps DuckDB's names to Iceberg's types. JSON is text, exactly as it was sent.
var types = map[string]iceberg.Type{
	"VARCHAR": iceberg.StringType{}, "JSON": iceberg.StringType{}, "BOOLEAN": iceberg.BooleanType{},
	"INTEGER": iceberg.Int32Type{}, "BIGINT": iceberg.Int64Type{}, "DOUBLE": iceberg.Float64Type{},
	"DATE": iceberg.DateType{}, "TIMESTAMPTZ": iceberg.TimestampTzType{},
	"TIMESTAMP WITH TIME ZONE": iceberg.TimestampTzType{},
}

// Of declares the tables of a manifest: those with files, then its lists.
func Of(m *lake.Manifest) ([]Table, error) {
	var all []Table
	for _, t := range m.Tables {
		files := m.FilesOf(t.Name)
		declared, err := declare(t)
		if err != nil {
			return nil, lake.Error{Err: fmt.Errorf("table %s: %w", t.Name, err)}
		}
		if len(files) > 0 {
			declared.Month = files[0].Period.Month
		} else {
			declared.Month = monthly(t)
		}
		all = append(all, declared)
	}
	for _, f := range m.Files {
		i := slices.IndexFunc(all, func(t Table) bool { return t.Name == f.Table })
		if i < 0 || all[i].Month != f.Period.Month {
			return nil, lake.Error{Err: fmt.Errorf("%s is of no table of the manifest, or of another period", f.Path)}
		}
	}
	for _, list := range m.Lists() {
		if slices.ContainsFunc(all, func(t Table) bool { return t.Name == list.Name }) {
			return nil, lake.Error{Err: fmt.Errorf("table %s: the name is reserved for a list of the manifest", list.Name)}
		}
		declared, err := declare(list.Table)
		if err != nil {
			return nil, err
		}
		declared.Time = ""
		all = append(all, declared)
	}
	return all, nil
}

// monthly guesses the period of a table that has no file yet: only rows of the source, which
// are many, have one file a day.
func monthly(t lake.Table) bool {
	return !slices.ContainsFunc(t.Columns, func(c lake.Column) bool { return c.Name == "timestamp" })
}

func declare(t lake.Table) (Table, error) {
	declared := Table{Name: t.Name, Comment: t.Comment}
	for _, c := range t.Columns {
		typ, known := types[c.Type]
		if !known || c.Name == OrgColumn || c.Name == "" {
			return declared, fmt.Errorf("column %q of type %q has no counterpart in Iceberg", c.Name, c.Type)
		}
		declared.Columns = append(declared.Columns,
			Column{c.Name, typ, c.Comment, c.Privacy == "personal" || c.Privacy == "content"})
		if temporal := typ.Equals(iceberg.DateType{}) || typ.Equals(iceberg.TimestampTzType{}); temporal && declared.Time == "" {
			declared.Time = c.Name // the first one; those of the synchronisation come last
		}
	}
	if declared.Time == "" {
		return declared, fmt.Errorf("it has no column with a time")
	}
	return declared, nil
}

// Schema is the schema to create the table with. The catalog assigns the field ids.
func (t Table) Schema() *iceberg.Schema {
	fields := []iceberg.NestedField{{
		ID: 1, Name: OrgColumn, Type: iceberg.StringType{}, Required: true, Doc: "Organisation that the row belongs to.",
	}}
	for i, c := range t.Columns {
		fields = append(fields, iceberg.NestedField{ID: i + 2, Name: c.Name, Type: c.Type, Doc: c.Doc})
	}
	return iceberg.NewSchema(0, fields...)
}

// Spec is the partition spec: organisation, then day or month.
func (t Table) Spec() iceberg.PartitionSpec {
	fields := []iceberg.PartitionField{{
		SourceIDs: []int{1}, FieldID: OrgField, Name: OrgColumn, Transform: iceberg.IdentityTransform{},
	}}
	if t.Time != "" {
		field := iceberg.PartitionField{SourceIDs: []int{t.timeID()}, FieldID: PeriodField, Name: t.Time + "_day", Transform: iceberg.DayTransform{}}
		if t.Month {
			field.Name, field.Transform = t.Time+"_month", iceberg.MonthTransform{}
		}
		fields = append(fields, field)
	}
	return iceberg.NewPartitionSpec(fields...)
}

func (t Table) timeID() int {
	return 2 + slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == t.Time })
}

// Order is the order of the rows within a file.
func (t Table) Order() (table.SortOrder, error) {
	if t.Time == "" {
		return table.UnsortedSortOrder, nil
	}
	return table.NewSortOrder(1, []table.SortField{{
		SourceIDs: []int{t.timeID()}, Transform: iceberg.IdentityTransform{}, Direction: table.SortASC, NullOrder: table.NullsFirst,
	}})
}

// Properties are the table's properties. Those of metrics bind other writers: a compaction
// must not bring back the bounds of private columns, nor shorten those of org.
func (t Table) Properties() iceberg.Properties {
	props := iceberg.Properties{
		"comment":                                    t.Comment,
		"format-version":                             "2",
		"write.parquet.compression-codec":            "zstd",
		"write.metadata.metrics.column.org":          "full",
		"write.metadata.previous-versions-max":       "20",
		"write.metadata.delete-after-commit.enabled": "true",
	}
	for _, c := range t.Columns {
		if c.Private {
			props["write.metadata.metrics.column."+c.Name] = "none"
		}
	}
	return props
}
