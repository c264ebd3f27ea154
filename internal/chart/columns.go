package chart

import (
	"cmp"
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
	Note     string  // follows its numbers
	Tone     string  // in place of the series' own
	Pale     string  // why its numbers may be too small: it is drawn pale; "" for others
}

// Total of all series.
func (c *Column) Total() int64 { return Sum(c.Values...) }

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
}

const (
	plotTop    = 22
	plotHigh   = 110
	spacedBars = 120 // more bars than these have no gaps between them
)

// bar is a column: its slot in percent of the width, and what is drawn in it.
type bar struct {
	Title    string
	Pale     bool
	X, Width float64
	Parts    []rect
}

func (c *Columns) figure() *figure {
	f := &figure{Words: &c.Words, Class: "columns", Unit: c.Unit, Top: plotTop, Base: plotTop + plotHigh, Ticks: c.Ticks}
	scale := c.scale()
	f.Log, f.Lines = scale.log, scale.lines(float64(f.Base))
	for i := range c.Columns {
		f.Bars = append(f.Bars, c.bar(&c.Columns[i], scale, float64(f.Base)))
	}
	f.place(c.Lanes, f.Base+8)
	f.Legend, f.Table = c.legend(), c.table()
	return f
}

func (c *Columns) scale() scale {
	var totals []int64
	for _, col := range c.Columns {
		totals = append(totals, col.Total())
	}
	s := newScale(c.Of, plotHigh, totals)
	s.log = s.log && len(c.Series) == 1 // parts of a stack cannot be compared on a logarithmic scale
	return s
}

func (c *Columns) bar(of *Column, scale scale, base float64) bar {
	slot := of.To - of.From
	width := min(slot*0.8, 12)
	if len(c.Columns) > spacedBars {
		width = slot * 1.08 // no hairlines between neighbours
	}
	b := bar{Title: c.title(of), Pale: of.Pale != "", X: of.From, Width: slot}
	y, total := base, of.Total()
	for i, n := range of.Values {
		if n <= 0 {
			continue
		}
		high := max(leastHeight, scale.height(total)*float64(n)/float64(total))
		y -= high
		tone := cmp.Or(of.Tone, c.Series[i].Tone)
		b.Parts = append(b.Parts, rect{Tone: tone, X: (of.From + of.To - width) / 2, Y: y, Width: max(width, 0.12), Height: high})
	}
	return b
}

// title is the text that a pointer on the bar shows.
func (c *Columns) title(of *Column) string {
	var words []string
	for i, n := range of.Values {
		if n > 0 || len(of.Values) == 1 {
			word := c.Of.Words(n)
			if c.Of == Counts {
				word += " " + c.Series[i].Name
			}
			words = append(words, word)
		}
	}
	text := visible.Text(of.Label) + ": " + cmp.Or(strings.Join(words, ", "), "none")
	if len(words) > 1 {
		text += fmt.Sprintf("; %s in all", c.Of.Words(of.Total()))
	}
	for _, note := range of.notes() {
		text += "; " + visible.Text(note)
	}
	return text
}

// notes are the texts that follow the numbers.
func (c *Column) notes() []string {
	return slices.DeleteFunc([]string{c.Note, c.Pale}, func(text string) bool { return text == "" })
}

// legend names the series, the highest first, and what is pale; lanes bear their names.
func (c *Columns) legend() (keys []Key) {
	if len(c.Series) > 1 {
		for _, s := range slices.Backward(c.Series) {
			keys = append(keys, Key{Tone: s.Tone, Text: s.Name})
		}
	}
	if i := slices.IndexFunc(c.Columns, func(col Column) bool { return col.Pale != "" }); i >= 0 {
		keys = append(keys, Key{Tone: "pale", Text: c.Columns[i].Pale})
	}
	return keys
}

// table has the columns that are not empty.
func (c *Columns) table() Table {
	t := Table{Caption: c.Title, Head: []string{c.What}}
	for _, s := range c.Series {
		t.Head = append(t.Head, s.Name)
	}
	stacked := len(c.Series) > 1
	if stacked {
		t.Head = append(t.Head, "in all")
	}
	noted := slices.ContainsFunc(c.Columns, func(col Column) bool { return len(col.notes()) > 0 })
	if noted {
		t.Head = append(t.Head, "note")
	}
	empty := 0
	for _, col := range c.Columns {
		if col.Total() == 0 && len(col.notes()) == 0 {
			empty++
			continue
		}
		row := []string{col.Label}
		for _, n := range col.Values {
			row = append(row, c.Of.Words(n))
		}
		if stacked {
			row = append(row, c.Of.Words(col.Total()))
		}
		if noted {
			row = append(row, strings.Join(col.notes(), "; "))
		}
		t.Rows = append(t.Rows, row)
	}
	if empty > 0 {
		t.More = fmt.Sprintf("%d without any are left out.", empty)
	}
	return t
}
