package format

import (
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// tableRows is how many rows one table has. A longer result is printed in several, so
// that its size does not decide how much memory it takes.
const tableRows = 10_000

// Table writes a table for people.
func Table(out io.Writer, rows Rows) error {
	part, printed := NewTable(out, rows.Columns...), false
	err := rows.Each(func(values []*string) error {
		row := make(table.Row, len(values))
		for i, value := range values {
			row[i] = "NULL"
			if value != nil {
				row[i] = visible.Lines(*value)
			}
		}
		part.AppendRow(row)
		if part.Length() == tableRows {
			part.Render()
			part, printed = NewTable(out, rows.Columns...), true
		}
		return nil
	})
	if err == nil && (part.Length() > 0 || !printed) {
		part.Render()
	}
	return err
}

// NewTable has the look of all tables: light lines, numbers to the right. Render prints it.
func NewTable(out io.Writer, columns ...Column) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	header, configs := make(table.Row, len(columns)), []table.ColumnConfig{}
	for i, c := range columns {
		header[i] = visible.Text(c.Name)
		if c.Kind.numeric() {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	return t
}
