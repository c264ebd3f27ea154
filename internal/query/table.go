package query

import (
	"context"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// tableRows is how many rows one table has. A longer result is printed in several, so
// that its size does not decide how much memory it takes.
const tableRows = 10_000

func writeTable(ctx context.Context, s *session, st *statement, out Output) error {
	part, printed := newTable(st, out), false
	err := s.rows(ctx, st.texts(asIs), func(values []*string) error {
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
			part, printed = newTable(st, out), true
		}
		return ctx.Err()
	})
	if err == nil && (part.Length() > 0 || !printed) {
		part.Render()
	}
	return err
}

func newTable(st *statement, out Output) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options.SeparateColumns = false
	t.Style().Options.DrawBorder = false
	header, configs := make(table.Row, len(st.columns)), []table.ColumnConfig{}
	for i, c := range st.columns {
		header[i] = visible.Text(c.name)
		if c.kind.numeric() {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	return t
}
