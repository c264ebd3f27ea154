// Package terminal prints for people: how a run goes on, and what came of it. Texts
// that come from outside are made harmless for a terminal.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/format"
)

// Table has these columns. One whose name begins with > is of numbers.
func Table(out io.Writer, names ...string) table.Writer {
	columns := make([]format.Column, len(names))
	for i, name := range names {
		text, numbers := strings.CutPrefix(name, ">")
		if columns[i].Name = text; numbers {
			columns[i].Kind = format.Number
		}
	}
	return format.NewTable(out, columns...)
}

// renderFirst prints the first rows of a table, and how many there are besides.
func renderFirst(out io.Writer, t table.Writer, rows []table.Row) {
	const most = 20
	t.AppendRows(rows[:min(len(rows), most)])
	t.Render()
	if more := len(rows) - most; more > 0 {
		fmt.Fprintf(out, "and %d more; --json lists them all\n", more)
	}
}

// Stamp is an instant to the second, in UTC.
func Stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// warnAbove is a number that is to be 0.
func warnAbove(n int64) string {
	if n > 0 {
		return text.FgYellow.Sprint(humanize.Comma(n))
	}
	return "0"
}
