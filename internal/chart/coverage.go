package chart

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/span"
)

const (
	mostBands = 6   // then all ledgers are drawn in one band
	mostRows  = 200 // of the table
	bandHigh  = 14
	// leastWidth is that of every range, however short, in percent; the style sheet
	// adds the pixel that it would lack on a telephone.
	leastWidth = 0.35
	// blur is how near ranges of one kind are drawn as one, in percent.
	blur = 0.15
)

// Ledger is what one filter set, or series, has covered, and what the source can no
// longer give.
type Ledger struct {
	Name          string
	Covered, Lost checkpoints.Set
}

// gaps are between the ledger's first instant and its last one: what is before and
// after them is no gap.
func (l Ledger) gaps() checkpoints.Set {
	whole, _ := l.Covered.Union(l.Lost).Extent()
	return checkpoints.Of(whole).Subtract(l.Covered).Subtract(l.Lost)
}

// Coverage is a chart of ledgers through time.
type Coverage struct {
	ID, Title string
	From, To  time.Time
	Ledgers   []Ledger
	Noun      string // what a ledger is of: filter set, series
}

// kind is one of the three things that a time can be in a ledger, and how it is drawn.
type kind struct {
	name, tone, glyph, meaning string
	ranges                     checkpoints.Set // of all ledgers
}

// kinds are in the order in which they are drawn upon each other.
func kinds(ledgers ...Ledger) []kind {
	var covered, lost, gaps []checkpoints.Interval
	for _, l := range ledgers {
		covered = append(covered, l.Covered...)
		lost = append(lost, l.Lost.Subtract(l.Covered)...)
		gaps = append(gaps, l.gaps()...)
	}
	return []kind{
		{name: "covered", tone: "rows", ranges: checkpoints.Of(covered...)},
		{name: "lost", tone: "lost", glyph: Ring, meaning: ": the source no longer has it", ranges: checkpoints.Of(lost...)},
		{name: "gap", tone: "gap", glyph: Triangle, meaning: ": not read, and still to be read", ranges: checkpoints.Of(gaps...)},
	}
}

// band is a ledger, or all of them as one.
type band struct {
	Text   string
	Y      int
	Pieces []rect
}

type rect struct{ Tone, X, Width, Title string }

func (c *Coverage) figure() *figure {
	all := kinds(c.Ledgers...)
	f := &figure{Words: &Words{ID: c.ID, Title: c.Title, Summary: c.summary(all)}, Class: "coverage", Top: 4, Ticks: Ticks(c.From, c.To)}
	f.Base = f.Top
	add := func(text string, of []kind) {
		f.Bands = append(f.Bands, band{Text: text, Y: f.Base, Pieces: c.rects(of)})
		f.Base += bandHigh + 6
	}
	f.Legend = []Key{{Tone: "rows", Text: "covered"}}
	var lanes []Lane
	for _, k := range all[1:] {
		if marks := c.marks(k.ranges); len(marks) > 0 {
			lanes = append(lanes, Lane{Name: k.name, Tone: k.tone, Glyph: k.glyph, At: marks})
			f.Legend = append(f.Legend, Key{Tone: k.tone, Glyph: k.glyph, Text: k.name + k.meaning})
		}
	}
	switch n := len(c.Ledgers); {
	case n == 1:
		add("covered", all)
	case n > mostBands:
		add("all "+humanize.Comma(int64(n)), all)
	default:
		for i, l := range c.Ledgers {
			name := fmt.Sprintf("set %d", i+1)
			add(name, kinds(l))
			f.Legend = append(f.Legend, Key{Text: name + ": " + l.Name})
		}
	}
	if len(f.Legend) == 1 {
		f.Legend = nil // the band bears its name
	}
	f.place(lanes, f.Base)
	f.Table = c.table()
	return f
}

// marks show where ranges are, however short.
func (c *Coverage) marks(ranges checkpoints.Set) (at []float64) {
	for _, r := range ranges {
		middle := (share(c.From, c.To, r.From) + share(c.From, c.To, r.To)) / 2
		if len(at) == 0 || middle-at[len(at)-1] > 1 {
			at = append(at, middle)
		}
	}
	return at
}

// rects are the ranges to draw: none too narrow to be seen, and those that would be
// in the same place only once.
func (c *Coverage) rects(of []kind) (all []rect) {
	for _, k := range of {
		_, shown := k.ranges.Split(c.From)
		for len(shown) > 0 {
			n := 1
			for n < len(shown) && share(c.From, c.To, shown[n].From)-share(c.From, c.To, shown[n-1].To) <= blur {
				n++
			}
			all = append(all, c.rect(k, shown[:n]))
			shown = shown[n:]
		}
	}
	return all
}

func (c *Coverage) rect(k kind, group checkpoints.Set) rect {
	whole, _ := group.Extent()
	x, end := share(c.From, c.To, whole.From), share(c.From, c.To, whole.To)
	if short := leastWidth - (end - x); short > 0 {
		x = min(max(0, x-short/2), 100-leastWidth)
		end = x + leastWidth
	}
	r := rect{Tone: k.tone, X: number(x), Width: number(end - x), Title: fmt.Sprintf("%s: %s to %s", k.name, stamp(whole.From), stamp(whole.To))}
	if len(group) > 1 {
		r.Title = fmt.Sprintf("%d ranges, %s", len(group), r.Title)
	}
	return r
}

// summary says what is covered, and what is not.
func (c *Coverage) summary(all []kind) string {
	whole, ok := all[0].ranges.Union(all[1].ranges).Extent()
	if !ok {
		return "Nothing is covered yet."
	}
	text := fmt.Sprintf("Covered from %s to %s", stamp(whole.From), stamp(whole.To))
	if n := len(c.Ledgers); n > 1 {
		text += ", by " + plural(n, c.Noun)
	}
	lost, gaps := all[1].ranges, all[2].ranges
	if len(gaps) == 0 {
		text += ", without a gap"
	} else {
		text += fmt.Sprintf(", with %s: %s", plural(len(gaps), "gap"), longest(gaps))
	}
	if len(lost) > 0 {
		text += fmt.Sprintf(". The source can no longer give %s: %s", plural(len(lost), "time range"), longest(lost))
	}
	return text + "."
}

func longest(of checkpoints.Set) string {
	r := slices.MaxFunc(of, func(a, b checkpoints.Interval) int { return cmp.Compare(a.Duration(), b.Duration()) })
	text := fmt.Sprintf("%s, from %s to %s", span.Words(r.Duration()), stamp(r.From), stamp(r.To))
	if len(of) > 1 {
		return "the longest " + text
	}
	return text
}

// table lists what is not covered first, then what is, the newest first.
func (c *Coverage) table() Table {
	t := Table{Caption: c.Title, Head: []string{"from", "to", "what", c.Noun}, Texts: true}
	for _, i := range []int{2, 1, 0} {
		for _, l := range c.Ledgers {
			k := kinds(l)[i]
			for _, r := range slices.Backward(k.ranges) {
				if len(t.Rows) == mostRows {
					t.More = fmt.Sprintf("%d ranges; the others are left out", mostRows)
					return t
				}
				t.Rows = append(t.Rows, []string{stamp(r.From), stamp(r.To), k.name, l.Name})
			}
		}
	}
	return t
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func plural(n int, noun string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(n, noun, map[string]string{"series": "series"}[noun])
}
