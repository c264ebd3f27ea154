package format

import (
	"io"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// CSV writes texts that neither a terminal nor a spreadsheet takes for a
// command: a file of today is opened with either tomorrow. NULL is an empty cell, an
// empty text a quoted one.
func CSV(out io.Writer, rows Rows) error {
	header := make([]string, len(rows.Columns))
	for i, c := range rows.Columns {
		header[i] = quote(defuse(visible.Controls(c.Name)))
	}
	if err := writeLine(out, header); err != nil {
		return err
	}
	cells := make([]string, len(rows.Columns))
	return rows.Each(func(values []*string) error {
		for i, value := range values {
			cells[i] = ""
			if value != nil {
				cells[i] = quote(cell(rows.Columns[i].Kind, *value))
			}
		}
		return writeLine(out, cells)
	})
}

func writeLine(out io.Writer, cells []string) error {
	_, err := io.WriteString(out, strings.Join(cells, ",")+"\n")
	return err
}

// cell is a value as a spreadsheet may have it.
func cell(k Kind, value string) string {
	if k != Free && k != Nested {
		return value
	}
	return defuse(visible.Controls(value))
}

// defuse keeps a spreadsheet from taking a text for a formula.
func defuse(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func quote(cell string) string {
	if cell == "" || strings.ContainsAny(cell, ",\"\r\n") || cell[0] == ' ' || cell[0] == '\t' || cell[len(cell)-1] == ' ' {
		return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return cell
}
