package chart

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
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
	From, To  time.Time // what is shown, at least
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
		from, to = earlier(from, r.From), later(to, r.To)
	}
	all := merge(c.Covers)
	p := &plot{Words: &Words{ID: c.ID, Title: c.Title, Summary: c.summary(all)}, Class: "coverage", Top: 4, Ticks: Ticks(from, to)}
	if seconds(from, to) < 3*day.Seconds() {
		p.Ticks = hourTicks(from, to)
	}
	y := 4
	add := func(text string, pieces []piece) {
		p.Bands = append(p.Bands, band{Text: text, Y: y, Pieces: rects(pieces, from, to)})
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
	for _, l := range markLanes(all, from, to) {
		p.Lanes = append(p.Lanes, newLane(l, y))
		y += laneHigh
	}
	p.Labels = y + 8
	p.Height = p.Labels + 8
	p.Legend, p.Table = c.legend(p), c.table(all)
	return p
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
		r.Title += " (" + Span(length(group)) + ")"
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

// summary tells what of the ledgers is covered, and what is not.
func (c *Coverage) summary(all []piece) string {
	whole, ok := extremes(c.Covers)
	if !ok {
		return "Nothing is covered yet."
	}
	text := fmt.Sprintf("Covered from %s to %s", stamp(whole.From), stamp(whole.To))
	if n := len(c.Covers); n > 1 {
		text += fmt.Sprintf(", by %s", plural(n, c.Noun))
	}
	gaps := stretches(all, func(p piece) bool { return p.gaps > 0 })
	if len(gaps) == 0 {
		text += ", without a gap"
	} else {
		text += fmt.Sprintf(", with %s: %s", plural(len(gaps), "gap"), extent(gaps))
	}
	if lost := stretches(all, func(p piece) bool { return p.losses > 0 }); len(lost) > 0 {
		text += fmt.Sprintf(". The source can no longer give %s: %s", plural(len(lost), "time range"), extent(lost))
	}
	return text + "."
}

func extent(all []Range) string {
	slices.SortStableFunc(all, byLength)
	r := all[0]
	text := fmt.Sprintf("%s, from %s to %s", Span(r.To.Sub(r.From)), stamp(r.From), stamp(r.To))
	if len(all) > 1 {
		return "the longest " + text
	}
	return text
}

// stretches joins neighbouring pieces that are alike in one respect.
func stretches(all []piece, is func(piece) bool) (out []Range) {
	for _, p := range all {
		switch last := len(out) - 1; {
		case !is(p):
		case last >= 0 && out[last].To.Equal(p.From):
			out[last].To = p.To
		default:
			out = append(out, p.Range)
		}
	}
	return out
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

func (c *Coverage) table(all []piece) Table {
	t := Table{Caption: c.Title, Head: []string{"from", "to", "what"}, Texts: true}
	for _, p := range slices.Backward(all) {
		if len(all) > mostRows && p.State == Full {
			continue
		}
		if len(t.Rows) == mostRows {
			t.More = "The newest " + fmt.Sprint(mostRows) + " stretches that are not covered."
			break
		}
		t.Rows = append(t.Rows, []string{stamp(p.From), stamp(p.To), c.words(p)})
	}
	return t
}

// words say what a piece is, and of how many ledgers if there are several.
func (c *Coverage) words(p piece) string {
	if len(c.Covers) == 1 {
		return string(p.State)
	}
	words := []string{fmt.Sprintf("covered by %s", humanize.Comma(int64(p.full)))}
	if p.gaps > 0 {
		words = append(words, fmt.Sprintf("gap in %s", humanize.Comma(int64(p.gaps))))
	}
	if p.losses > 0 {
		words = append(words, fmt.Sprintf("lost in %s", humanize.Comma(int64(p.losses))))
	}
	return strings.Join(words, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func plural(n int, noun string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(n, noun, pluralOf[noun])
}

var pluralOf = map[string]string{"series": "series"}
