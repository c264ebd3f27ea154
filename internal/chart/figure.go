// Package chart draws charts as SVG on the server: no script, no style attribute,
// nothing that is loaded.
//
// A chart is measured in percent of its width and in pixels of its height, so
// that its letters have the same size on a telephone and on paper. What is not zero
// is never too small to be seen: a bar has a least height, a gap a least width.
// Above the picture is a summary in words, below it a folded table of all of its
// numbers.
//
// Texts may come from strangers: what does not print is spelled out, and
// html/template escapes the rest.
package chart

import (
	"embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

//go:embed *.tmpl chart.css
var files embed.FS

// CSS is the part of the style sheet that charts need. It takes its colours from
// the page: --ink, --quiet, --line, --rule and --fill of each tone.
//
//go:embed chart.css
var CSS string

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"show": visible.Text, "comma": humanize.Comma, "number": number,
}).ParseFS(files, "*.tmpl"))

// Words are the texts beside the picture of every chart.
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

// Lane is a line below a chart with marks: it says what they mean without their colour.
type Lane struct {
	Name  string
	Tone  string
	Glyph string
	At    []float64 // percent
	Y     int       // is set when it is placed
}

// figure is a chart in numbers that the template can write.
type figure struct {
	*Words
	Class  string
	Unit   string
	Log    bool
	Top    int
	Base   int // y of the zero line
	Height int
	Labels int // y of the ticks
	Lines  []line
	Bars   []bar
	Bands  []band
	Lanes  []Lane
	Ticks  []Tick
	Legend []Key
	Table  Table
}

// rect is a patch of colour: X and Width in percent, Y and Height in pixels.
type rect struct {
	Tone, Title         string
	X, Y, Width, Height float64
}

const laneHigh = 18

// place puts lanes from y on, and the ticks below them.
func (f *figure) place(lanes []Lane, y int) {
	for _, l := range lanes {
		l.At = slices.CompactFunc(slices.Clone(l.At), func(a, b float64) bool { return math.Abs(a-b) <= 0.1 })
		l.Y = y + laneHigh/2
		f.Lanes = append(f.Lanes, l)
		y += laneHigh
	}
	f.Labels = y + 18
	f.Height = f.Labels + 8
}

// HTML draws the chart as a figure.
func (c *Columns) HTML() (template.HTML, error) { return render("figure", c.figure()) }

// HTML draws the coverage as a figure.
func (c *Coverage) HTML() (template.HTML, error) { return render("figure", c.figure()) }

func render(name string, data any) (template.HTML, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("draw chart: %w", err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // html/template has escaped it
}

// Glyphs distinguish things without colour: outlines around the origin, 10 wide.
const (
	Check    = "M-5.2.3-3.5-1.5-1.4.6 3.6-4.5 5.3-2.9-1.4 4.1Z"
	Triangle = "M-5.5-4.5H5.5L0 5Z"
	Diamond  = "M0-5.8 5.8 0 0 5.8-5.8 0Z"
	Ring     = "M-5.2 0a5.2 5.2 0 1 0 10.4 0a5.2 5.2 0 1 0-10.4 0ZM-2.6 0a2.6 2.6 0 1 1 5.2 0a2.6 2.6 0 1 1-5.2 0Z"
	Plus     = "M-1.6-5.2h3.2v3.6h3.6v3.2h-3.6v3.6h-3.2v-3.6h-3.6v-3.2h3.6Z"
	Dash     = "M-5-1.2H5V1.2H-5Z"
	Cross    = "M-5-3-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0Z"
	Clock    = "M-5.4 0a5.4 5.4 0 1 0 10.8 0a5.4 5.4 0 1 0-10.8 0ZM-3.4 0a3.4 3.4 0 1 1 6.8 0a3.4 3.4 0 1 1-6.8 0ZM-.8-2.6h1.6v2.2l1.7 1.2-.9 1.3-2.4-1.7Z"
	Disc     = "M-4.6 0a4.6 4.6 0 1 0 9.2 0a4.6 4.6 0 1 0-9.2 0Z"
)
