package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// The chart is measured in percent of its width and in pixels of its height, so
// that its letters keep their size on a telephone and on paper.
const (
	mostCells  = 400 // then days become weeks, and weeks months
	spacedBars = 120 // more bars than these stand without gaps
	plotTop    = 22
	plotHeight = 120
	baseline   = plotTop + plotHeight
	laneHeight = 18
	leastBar   = 1.5 // of a day that holds something, however little
)

// cell is a day, or the days of a week or month.
type cell struct {
	From, To     time.Time
	Last         time.Time // an instant of the last day
	Source, Held int64
	Status       Status // the gravest
	Found        map[Status]int
	Days         int
}

// cells groups the days of a stream; unit says by what.
func cells(days []Day) (all []*cell, unit string) {
	days = slices.DeleteFunc(slices.Clone(days), func(d Day) bool { return !d.From.Before(d.To) })
	for _, by := range []struct {
		unit string
		key  func(time.Time) time.Time
	}{
		{"day", func(t time.Time) time.Time { return t }},
		{"week", func(t time.Time) time.Time { return t.UTC().Truncate(7 * 24 * time.Hour) }}, // a Monday
		{"month", func(t time.Time) time.Time { return NextMonth(t).AddDate(0, -1, 0) }},
	} {
		if all = grouped(days, by.key); len(all) <= mostCells {
			return all, by.unit
		}
	}
	return all, "month"
}

func grouped(days []Day, key func(time.Time) time.Time) (all []*cell) {
	for i, d := range days {
		if i == 0 || !key(d.From).Equal(key(days[i-1].From)) {
			all = append(all, &cell{From: d.From, Status: Match, Found: map[Status]int{}})
		}
		all[len(all)-1].add(d)
	}
	return all
}

func (c *cell) add(d Day) {
	c.To, c.Last = d.To, d.From
	// The end of a day may lie a little after midnight.
	if late := d.To.Add(-time.Hour); late.After(d.From) {
		c.Last = late
	}
	c.Source += d.Source
	c.Held += d.Held
	c.Found[d.Status]++
	c.Days++
	if gravity(d.Status) > gravity(c.Status) {
		c.Status = d.Status
	}
}

// Period names the cell's days.
func (c *cell) Period() string {
	if first, last := date(c.From), date(c.Last); first != last {
		return first + " to " + last
	}
	return date(c.From)
}

// Words are the cell's status, and how many of its days have it.
func (c *cell) Words() string {
	if c.Days == 1 || c.Status == Match {
		return string(c.Status)
	}
	var words []string
	for _, s := range grave {
		if n := c.Found[s]; n > 0 {
			words = append(words, fmt.Sprintf("%s on %s", s, english.Plural(n, "day", "")))
		}
	}
	return strings.Join(words, ", ")
}

// chart is a picture of a stream's days, in numbers that a template can write.
type chart struct {
	Cells   []*cell
	Bars    []bar
	Lines   []mark // across, with how many rows they stand for
	Lanes   []mark // of the statuses that occur, below the bars
	Ticks   []mark
	Unit    string
	Log     bool
	Summary string
	Ghosts  bool // some bars are lower than what the source counts
	Base    int  // y of the zero line
	Height  int
	Labels  int // y of the dates
}

// bar is a cell's place. Numbers are pixels, text is percent.
type bar struct {
	*cell
	Slot, SlotWidth, X, Width, Middle string
	Y, High, GhostY, GhostHigh        string
	Marks                             []mark
}

// mark is something beside the bars.
type mark struct {
	Text   string
	Status Status
	X      string
	Y      int
	Anchor string
	Detail string // how little room it takes to leave it out
}

// newChart is nil if there are no days to show.
func newChart(s *Stream) *chart {
	all, unit := cells(s.Days)
	if len(all) == 0 {
		return nil
	}
	c := &chart{Cells: all, Unit: unit, Base: baseline}
	lanes := c.lanes()
	c.Labels = baseline + laneHeight*len(lanes) + 26
	c.Height = c.Labels + 8
	high := scaleOf(all)
	c.Log, c.Lines = high.log, high.lines()
	from, whole := all[0].From, all[len(all)-1].To.Sub(all[0].From)
	for _, cell := range all {
		c.Bars = append(c.Bars, c.bar(cell, high, lanes, share(cell.From.Sub(from), whole), share(cell.To.Sub(from), whole)))
		c.Ghosts = c.Ghosts || cell.Source > cell.Held
	}
	c.Ticks = ticks(from, all[len(all)-1].To)
	c.Summary = c.summary()
	return c
}

// lanes are the places of what was found, one below the other: a lane tells what
// its marks mean without their colour.
func (c *chart) lanes() map[Status]int {
	y := map[Status]int{}
	for _, s := range grave {
		if slices.ContainsFunc(c.Cells, func(cell *cell) bool { return cell.Found[s] > 0 }) {
			y[s] = baseline + laneHeight*len(y) + laneHeight/2 + 8
			c.Lanes = append(c.Lanes, mark{Text: string(s), Status: s, Y: y[s]})
		}
	}
	return y
}

func (c *chart) bar(of *cell, high scale, lanes map[Status]int, from, to float64) bar {
	width := min((to-from)*0.8, 5)
	if len(c.Cells) > spacedBars {
		width = (to - from) * 1.08 // no hairlines between neighbours
	}
	middle := (from + to) / 2
	b := bar{
		cell: of, Slot: number(from), SlotWidth: number(to - from),
		X: number(middle - width/2), Width: number(max(width, 0.12)), Middle: number(middle),
	}
	held := high.height(of.Held)
	b.Y, b.High = number(baseline-held), number(held)
	if ghost := high.height(of.Source) - held; of.Source > of.Held {
		b.GhostY, b.GhostHigh = number(baseline-held-ghost), number(ghost)
	}
	for _, s := range grave {
		if of.Found[s] > 0 {
			b.Marks = append(b.Marks, mark{Status: s, Y: lanes[s]})
		}
	}
	return b
}

// summary is what the picture shows, for those who cannot see it.
func (c *chart) summary() string {
	found, days, empty := map[Status]int{}, 0, 0
	least, most := c.Cells[0].Held, int64(0)
	for _, cell := range c.Cells {
		for s, n := range cell.Found {
			found[s] += n
		}
		days += cell.Days
		least, most = min(least, cell.Held), max(most, cell.Held)
		if cell.Held == 0 {
			empty++
		}
	}
	words := []string{fmt.Sprintf("%s match", humanize.Comma(int64(found[Match])))}
	for _, s := range grave {
		if n := found[s]; n > 0 {
			words = append(words, fmt.Sprintf("%s with rows %s", humanize.Comma(int64(n)), rowsThat[s]))
		}
	}
	extent := fmt.Sprintf("the emptiest %s", humanize.Comma(least))
	if empty > 0 {
		extent = english.Plural(empty, c.Unit+" holds", c.Unit+"s hold") + " none"
	}
	return fmt.Sprintf("%s to %s, %s: %s. The fullest %s holds %s, %s.",
		date(c.Cells[0].From), date(c.Cells[len(c.Cells)-1].Last), english.Plural(days, "day", ""), english.WordSeries(words, "and"),
		c.Unit, rows(most), extent)
}

var rowsThat = map[Status]string{Missing: "missing", Differs: "that differ", Unproven: "unproven", Extra: "extra"}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return humanize.Comma(n) + " rows"
}

// number writes a coordinate without an exponent and without idle digits.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func share(part, whole time.Duration) float64 { return 100 * float64(part) / float64(whole) }
