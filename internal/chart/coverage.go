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

// Ledger is what one filter set, or series, has covered, what was dropped on purpose, what
// the source can no longer give, and what is missing between.
type Ledger struct {
	Name                         string
	Covered, Expired, Lost, Gaps checkpoints.Set
}

// Coverage is a chart of ledgers through time.
type Coverage struct {
	Words    // HTML adds the summary
	From, To time.Time
	Ledgers  []Ledger
	Noun     string // what a ledger is of: filter set, series
}

// kind is one of the four things that a time can be in a ledger, and how it is drawn.
type kind struct {
	name, tone, glyph, meaning string
	of                         func(Ledger) checkpoints.Set
}

// kinds are in the order in which they are drawn upon each other.
var kinds = []kind{
	{"covered", "rows", "", "", func(l Ledger) checkpoints.Set { return l.Covered }},
	{"expired", "expired", Dash, ": dropped by retention", func(l Ledger) checkpoints.Set { return l.Expired }},
	{"lost", "lost", Ring, ": the source no longer has it", func(l Ledger) checkpoints.Set { return l.Lost.Subtract(l.Covered) }},
	{"gap", "gap", Triangle, ": not read, and still to be read", func(l Ledger) checkpoints.Set { return l.Gaps }},
}

// ranges are those of each kind, in all ledgers together.
func ranges(ledgers ...Ledger) (all [4]checkpoints.Set) {
	for i, k := range kinds {
		var each []checkpoints.Interval
		for _, l := range ledgers {
			each = append(each, k.of(l)...)
		}
		all[i] = checkpoints.Of(each...)
	}
	return all
}

// band is a ledger, or all of them as one.
type band struct {
	Text   string
	Y      int
	Pieces []rect
}

func (c *Coverage) figure() *figure {
	all := ranges(c.Ledgers...)
	c.Summary = c.summary(all)
	f := &figure{Words: &c.Words, Class: "coverage", Top: 4, Ticks: Ticks(c.From, c.To)}
	f.Base = f.Top
	add := func(text string, of [4]checkpoints.Set) {
		f.Bands = append(f.Bands, band{Text: text, Y: f.Base, Pieces: c.rects(of, float64(f.Base))})
		f.Base += bandHigh + 6
	}
	f.Legend = []Key{{Tone: "rows", Text: "covered"}}
	var lanes []Lane
	for i, k := range kinds[1:] {
		if marks := c.marks(all[i+1]); len(marks) > 0 {
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
			add(name, ranges(l))
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
	_, shown := ranges.Split(c.From)
	for _, r := range shown {
		middle := (share(c.From, c.To, r.From) + share(c.From, c.To, r.To)) / 2
		if len(at) == 0 || middle-at[len(at)-1] > 1 {
			at = append(at, middle)
		}
	}
	return at
}

// rects are the ranges to draw: none too narrow to be seen, and those that would be
// in the same place only once.
func (c *Coverage) rects(of [4]checkpoints.Set, y float64) (all []rect) {
	for i, k := range kinds {
		_, shown := of[i].Split(c.From)
		for len(shown) > 0 {
			n := 1
			for n < len(shown) && share(c.From, c.To, shown[n].From)-share(c.From, c.To, shown[n-1].To) <= blur {
				n++
			}
			all = append(all, c.rect(k, shown[:n], y))
			shown = shown[n:]
		}
	}
	return all
}

func (c *Coverage) rect(k kind, group checkpoints.Set, y float64) rect {
	whole, _ := group.Extent()
	x, end := share(c.From, c.To, whole.From), share(c.From, c.To, whole.To)
	if short := leastWidth - (end - x); short > 0 {
		x = min(max(0, x-short/2), 100-leastWidth)
		end = x + leastWidth
	}
	r := rect{Tone: k.tone, X: x, Y: y, Width: end - x, Height: bandHigh, Title: fmt.Sprintf("%s: %s to %s", k.name, Stamp(whole.From), Stamp(whole.To))}
	if len(group) > 1 {
		r.Title = fmt.Sprintf("%d ranges, %s", len(group), r.Title)
	}
	return r
}

// summary says what is covered, and what is not.
func (c *Coverage) summary(all [4]checkpoints.Set) string {
	covered, expired, lost, gaps := all[0], all[1], all[2], all[3]
	whole, ok := covered.Union(lost).Extent()
	if !ok {
		return "Nothing is covered yet."
	}
	text := fmt.Sprintf("Covered from %s to %s", Stamp(whole.From), Stamp(whole.To))
	if n := len(c.Ledgers); n > 1 {
		text += ", by " + Count(int64(n), c.Noun)
	}
	if len(gaps) == 0 {
		text += ", without a gap"
	} else {
		text += fmt.Sprintf(", with %s: %s", Count(int64(len(gaps)), "gap"), longest(gaps))
	}
	if len(lost) > 0 {
		text += fmt.Sprintf(". The source can no longer give %s: %s", Count(int64(len(lost)), "time range"), longest(lost))
	}
	if before, ok := expired.Extent(); ok {
		text += fmt.Sprintf(". What is older than %s has expired", Stamp(before.To))
	}
	return text + "."
}

func longest(of checkpoints.Set) string {
	r := slices.MaxFunc(of, func(a, b checkpoints.Interval) int { return cmp.Compare(a.Duration(), b.Duration()) })
	text := fmt.Sprintf("%s, from %s to %s", span.Words(r.Duration()), Stamp(r.From), Stamp(r.To))
	if len(of) > 1 {
		return "the longest " + text
	}
	return text
}

// table lists what is not covered first, then what is, the newest first.
func (c *Coverage) table() Table {
	t := Table{Caption: c.Title, Head: []string{"from", "to", "what", c.Noun}, Texts: true}
	for _, k := range slices.Backward(kinds) {
		for _, l := range c.Ledgers {
			for _, r := range slices.Backward(k.of(l)) {
				if len(t.Rows) == mostRows {
					t.More = fmt.Sprintf("%d ranges; the others are left out", mostRows)
					return t
				}
				t.Rows = append(t.Rows, []string{Stamp(r.From), Stamp(r.To), k.name, l.Name})
			}
		}
	}
	return t
}

// Stamp writes an instant to the minute, in UTC.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// Count writes a number and its noun.
func Count(n int64, noun string) string {
	if n != 1 {
		noun = english.PluralWord(2, noun, map[string]string{"series": "series"}[noun])
	}
	return humanize.Comma(n) + " " + noun
}
