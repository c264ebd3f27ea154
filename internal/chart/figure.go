package chart

import (
	"embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

//go:embed *.tmpl chart.css
var files embed.FS

// CSS is the part of the style sheet that charts need. It takes its colours from
// the page: --ink, --quiet, --line, --rule and --fill of each tone.
//
//go:embed chart.css
var CSS string

var templates = template.Must(template.New("").Funcs(template.FuncMap{"show": visible.Text}).ParseFS(files, "*.tmpl"))

// Words are what every chart says beside its picture.
type Words struct {
	ID      string // unique in the page, of letters and dashes
	Title   string
	Summary string // what the picture shows, for those who do not see it
}

// Key is an entry of a legend.
type Key struct {
	Tone  string
	Glyph string // "" for a patch of colour
	Text  string
}

// Table is what a chart is drawn from.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string // the first cell is the row's head
	Texts   bool       // the cells are texts rather than numbers
	More    string     // what is left out, "" for nothing
}

// HTML draws the chart as a figure.
func (c *Columns) HTML() (template.HTML, error) { return render("figure", c.plot()) }

// HTML draws the coverage as a figure.
func (c *Coverage) HTML() (template.HTML, error) { return render("figure", c.plot()) }

// HTML draws the ranking as a table with bars.
func (r *Ranking) HTML() (template.HTML, error) { return render("ranking", r.view()) }

func render(name string, data any) (template.HTML, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("draw chart: %w", err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // html/template has escaped it
}

// table has the columns that hold something.
func (c *Columns) table() Table {
	t := Table{Caption: c.Title, Head: []string{c.What}}
	for _, s := range c.Series {
		t.Head = append(t.Head, s.Name)
	}
	stacked, noted := len(c.Series) > 1, false
	for _, col := range c.Columns {
		noted = noted || col.Note != ""
	}
	if stacked {
		t.Head = append(t.Head, "in all")
	}
	if noted {
		t.Head = append(t.Head, "note")
	}
	empty := 0
	for _, col := range c.Columns {
		total := Sum(col.Values...)
		if total == 0 && col.Note == "" {
			empty++
			continue
		}
		row := []string{col.Label}
		for _, n := range col.Values {
			row = append(row, c.Of.Words(n))
		}
		if stacked {
			row = append(row, c.Of.Words(total))
		}
		if noted {
			row = append(row, col.Note)
		}
		t.Rows = append(t.Rows, row)
	}
	if empty > 0 {
		t.More = fmt.Sprintf("%d without any are left out.", empty)
	}
	return t
}
