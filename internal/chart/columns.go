package chart

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// Series is one of the numbers that a column stacks, the lowest first.
type Series struct {
	Name string
	Tone string // the class of the style sheet that gives its colour
}

// Column is a bar: a period, a class of a histogram, a run.
type Column struct {
	Label    string
	From, To float64 // its place in percent of the width
	Values   []int64 // one for each series
	Note     string  // said behind its numbers
	Tone     string  // in place of the series' own
}

// Total of all series.
func (c *Column) Total() int64 { return Sum(c.Values...) }

// Lane is a line below the columns with marks: it tells what they mean without
// their colour.
type Lane struct {
	Name  string
	Tone  string
	Glyph string
	At    []float64 // percent
	Rules bool      // a line stands above each mark
}

// Columns is a chart of bars.
type Columns struct {
	Words
	Of      Measure
	Unit    string // what is counted, in one word above the axis
	What    string // what a column is: the first head of the table
	Series  []Series
	Columns []Column
	Lanes   []Lane
	Ticks   []Tick
	High    int  // pixels that the highest bar has, 120 if 0
	Linear  bool // whatever the outliers
	Touch   bool // the bars stand without gaps, as those of a histogram
}

const (
	plotTop    = 22
	plotHigh   = 120
	laneHigh   = 18
	spacedBars = 120 // more bars than these stand without gaps
)

// plot is a chart in numbers that the template can write.
type plot struct {
	*Words
	Class  string
	Unit   string
	Log    bool
	Top    int
	Base   int // y of the zero line
	Height int
	Labels int // y of the ticks
	Lines  []mark
	Bars   []bar
	Bands  []band
	Lanes  []lane
	Ticks  []Tick
	Legend []Key
	Table  Table
}

type mark struct{ X, Y, Text string }

type bar struct {
	Title           string
	Slot, SlotWidth string
	X, Width        string
	Parts           []part
}

type part struct{ Tone, Y, High string }

type lane struct {
	Lane
	Y     int
	Marks []string
}

func (c *Columns) plot() *plot {
	high := c.High
	if high == 0 {
		high = plotHigh
	}
	p := &plot{Words: &c.Words, Class: "columns", Unit: c.Unit, Top: plotTop, Base: plotTop + high, Ticks: c.Ticks}
	scale := ScaleOf(c.Of, float64(high), c.totals())
	scale.Log = scale.Log && !c.Linear && len(c.Series) == 1 // parts of a stack cannot be compared on a logarithmic scale
	p.Log = scale.Log
	for _, line := range scale.Lines() {
		p.Lines = append(p.Lines, mark{Text: line.Text, Y: Number(float64(p.Base) - line.Above)})
	}
	for i := range c.Columns {
		p.Bars = append(p.Bars, c.bar(&c.Columns[i], scale, float64(p.Base)))
	}
	y := p.Base + laneHigh/2 + 8
	for _, l := range c.Lanes {
		p.Lanes = append(p.Lanes, newLane(l, y))
		y += laneHigh
	}
	p.Labels = p.Base + laneHigh*len(c.Lanes) + 26
	p.Height = p.Labels + 8
	p.Legend, p.Table = c.legend(), c.table()
	return p
}

func newLane(l Lane, y int) lane {
	out := lane{Lane: l, Y: y}
	for i, at := range l.At {
		if i == 0 || at-l.At[i-1] > 0.1 {
			out.Marks = append(out.Marks, Number(at))
		}
	}
	return out
}

func (c *Columns) totals() (all []int64) {
	for _, col := range c.Columns {
		all = append(all, Sum(col.Values...))
	}
	return all
}

func (c *Columns) bar(of *Column, scale Scale, base float64) bar {
	slot := of.To - of.From
	width := min(slot*0.8, 5)
	switch {
	case c.Touch:
		width = slot * 0.97
	case len(c.Columns) > spacedBars:
		width = slot * 1.08 // no hairlines between neighbours
	}
	b := bar{
		Title: c.title(of), Slot: Number(of.From), SlotWidth: Number(slot),
		X: Number((of.From + of.To - width) / 2), Width: Number(max(width, 0.12)),
	}
	y, total := base, Sum(of.Values...)
	for i, n := range of.Values {
		if n <= 0 {
			continue
		}
		high := max(LeastHeight, scale.Height(total)*float64(n)/float64(total))
		y -= high
		tone := c.Series[i].Tone
		if of.Tone != "" {
			tone = of.Tone
		}
		b.Parts = append(b.Parts, part{Tone: tone, Y: Number(y), High: Number(high)})
	}
	return b
}

func (c *Columns) title(of *Column) string {
	var words []string
	for i, n := range of.Values {
		if n > 0 || len(of.Values) == 1 {
			words = append(words, c.Of.Words(n)+" "+c.Series[i].Name)
			if c.Of == Durations {
				words[len(words)-1] = c.Of.Words(n)
			}
		}
	}
	if len(words) == 0 {
		words = []string{"none"}
	}
	text := visible.Text(of.Label) + ": " + strings.Join(words, ", ")
	if len(words) > 1 {
		text += fmt.Sprintf("; %s in all", c.Of.Words(Sum(of.Values...)))
	}
	if of.Note != "" {
		text += "; " + visible.Text(of.Note)
	}
	return text
}

// legend names the series, as they lie upon each other; lanes bear their names.
func (c *Columns) legend() (keys []Key) {
	if len(c.Series) < 2 {
		return nil
	}
	for _, s := range slices.Backward(c.Series) {
		keys = append(keys, Key{Tone: s.Tone, Text: s.Name})
	}
	return keys
}
