package chart

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/span"
)

const (
	mostLanes = 6   // then the ledgers are merged into one band
	mostRows  = 200 // of the table
	bandHigh  = 14
	// leastWidth is that of what is drawn, however short, in percent; the style
	// sheet adds the pixel that it would lack on a telephone.
	leastWidth = 0.35
	// blur is how near stretches of one state are drawn as one, in percent.
	blur = 0.15
)

// Coverage is a chart of what ledgers vouch for through time.
type Coverage struct {
	ID, Title string
	From, To  time.Time // what is drawn, and what comes after it; a zero From: from the first range on
	Covers    []Cover
	Noun      string // what a ledger is of: filter set, series
}

// band is a ledger, or all of them merged.
type band struct {
	Text   string
	Y      int
	Pieces []rect
}

type rect struct{ Tone, X, Width, Title string }

var tones = map[State]string{Full: "rows", Part: "partly", Lost: "lost", None: "gap"}

func (c *Coverage) plot() *plot {
	from, to := c.From, c.To
	if r, ok := extremes(c.Covers); ok {
		to = later(to, r.To)
		if from.IsZero() {
			from = r.From
		}
	}
	all := merge(c.Covers)
	p := &plot{Words: &Words{ID: c.ID, Title: c.Title, Summary: c.summary(all)}, Class: "coverage", Top: 4, Ticks: Ticks(from, to)}
	if seconds(from, to) < 3*day.Seconds() {
		p.Ticks = hourTicks(from, to)
	}
	y := 4
	add := func(text string, pieces []piece) {
		p.Bands = append(p.Bands, band{Text: text, Y: y, Pieces: rects(after(from, pieces), from, to)})
		y += bandHigh + 6
	}
	if len(c.Covers) <= mostLanes {
		for i, of := range c.Covers {
			add(c.label(i), merge([]Cover{of}))
		}
	} else {
		add("all "+humanize.Comma(int64(len(c.Covers))), all)
	}
	p.Base = y
	y += laneHigh / 2
	for _, l := range markLanes(after(from, all), from, to) {
		p.Lanes = append(p.Lanes, newLane(l, y))
		y += laneHigh
	}
	p.Labels = y + 8
	p.Height = p.Labels + 8
	p.Legend, p.Table = c.legend(p), c.table(all)
	return p
}

// after leaves out what ends before the chart begins.
func after(from time.Time, pieces []piece) []piece {
	return slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool { return !p.To.After(from) })
}

func (c *Coverage) label(i int) string {
	if len(c.Covers) == 1 {
		return "covered"
	}
	return fmt.Sprintf("set %d", i+1)
}

// markLanes show where a gap or a loss is, however short.
func markLanes(all []piece, from, to time.Time) (lanes []Lane) {
	gaps, losses := Lane{Name: "gap", Tone: "gap", Glyph: Triangle}, Lane{Name: "lost", Tone: "lost", Glyph: Ring}
	for _, p := range all {
		middle := (share(from, to, p.From) + share(from, to, p.To)) / 2
		for _, of := range []struct {
			n    int
			lane *Lane
		}{{p.gaps, &gaps}, {p.losses, &losses}} {
			if last := len(of.lane.At) - 1; of.n > 0 && (last < 0 || middle-of.lane.At[last] > 1) {
				of.lane.At = append(of.lane.At, middle)
			}
		}
	}
	for _, l := range []Lane{gaps, losses} {
		if len(l.At) > 0 {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// rects are the pieces to draw: what is not covered upon what is, none too narrow
// to be seen, and those that would lie in the same place only once.
func rects(pieces []piece, from, to time.Time) (all []rect) {
	for _, state := range []State{Full, Part, Lost, None} {
		var group []piece
		flush := func() {
			if len(group) > 0 {
				all = append(all, rectOf(group, from, to))
			}
			group = nil
		}
		for _, p := range pieces {
			if p.State != state {
				continue
			}
			if len(group) > 0 && share(from, to, p.From)-share(from, to, group[len(group)-1].To) > blur {
				flush()
			}
			group = append(group, p)
		}
		flush()
	}
	return all
}

func rectOf(group []piece, from, to time.Time) rect {
	first, last := group[0], group[len(group)-1]
	x, end := share(from, to, first.From), share(from, to, last.To)
	if short := leastWidth - (end - x); short > 0 {
		x = min(max(0, x-short/2), 100-leastWidth)
		end = x + leastWidth
	}
	r := rect{Tone: tones[first.State], X: Number(x), Width: Number(end - x), Title: fmt.Sprintf("%s: %s to %s", first.State, stamp(first.From), stamp(last.To))}
	if first.State != Full {
		r.Title += " (" + span.Words(length(group)) + ")"
	}
	if len(group) > 1 {
		r.Title = fmt.Sprintf("%d stretches, %s", len(group), r.Title)
	}
	return r
}

func length(pieces []piece) (d time.Duration) {
	for _, p := range pieces {
		d += p.To.Sub(p.From)
	}
	return d
}

func (c *Coverage) legend(p *plot) (keys []Key) {
	some := map[string]bool{}
	for _, b := range p.Bands {
		for _, r := range b.Pieces {
			some[r.Tone] = true
		}
	}
	keys = append(keys, Key{Tone: "rows", Text: "covered"})
	if some["partly"] {
		keys = append(keys, Key{Tone: "partly", Text: "partly: some " + english.PluralWord(2, c.Noun, pluralOf[c.Noun]) + " lack it"})
	}
	for _, l := range p.Lanes {
		keys = append(keys, Key{Tone: l.Tone, Glyph: l.Glyph, Text: l.Name + map[string]string{
			"gap": ": not read, and still to be had", "lost": ": the source no longer has it",
		}[l.Name]})
	}
	if n := len(c.Covers); n > 1 && n <= mostLanes {
		for i, of := range c.Covers {
			keys = append(keys, Key{Text: c.label(i) + ": " + of.Name})
		}
	}
	if len(keys) == 1 {
		return nil // the band bears its name
	}
	return keys
}
