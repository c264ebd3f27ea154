package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/chart"
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
)

// cell is a day, or the days of a week or month.
type cell struct {
	From, To       time.Time
	Last           time.Time // an instant of the last day
	Source, Stored int64
	Status         Status // the worst
	Found          map[Status]int
	Days           int
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
	c.Stored += d.Stored
	c.Found[d.Status]++
	c.Days++
	if severity(d.Status) > severity(c.Status) {
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
	for _, s := range bySeverity {
		if n := c.Found[s]; n > 0 {
			words = append(words, fmt.Sprintf("%s on %s", s, english.Plural(n, "day", "")))
		}
	}
	return strings.Join(words, ", ")
}

// picture is a chart of a stream's days, in numbers that a template can write.
type picture struct {
	Cells   []*cell
	Bars    []bar
	Lines   []mark // across, with how many rows they stand for
	Lanes   []mark // of the statuses that occur, below the bars
	Ticks   []chart.Tick
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
	Y      int
}

// newChart is nil if there are no days to show.
func newChart(s *Stream) *picture {
	all, unit := cells(s.Days)
	if len(all) == 0 {
		return nil
	}
	c := &picture{Cells: all, Unit: unit, Base: baseline}
	lanes := c.lanes()
	c.Labels = baseline + laneHeight*len(lanes) + 26
	c.Height = c.Labels + 8
	high := scaleOf(all)
	c.Log, c.Lines = high.Log, lines(high)
	from, whole := all[0].From, all[len(all)-1].To.Sub(all[0].From)
	for _, cell := range all {
		c.Bars = append(c.Bars, c.bar(cell, high, lanes, chart.Share(cell.From.Sub(from), whole), chart.Share(cell.To.Sub(from), whole)))
		c.Ghosts = c.Ghosts || cell.Source > cell.Stored
	}
	c.Ticks = chart.Ticks(from, all[len(all)-1].To)
	c.Summary = c.summary()
	return c
}

// lanes are the places of what was found, one below the other: a lane says what
// its marks mean without their colour.
func (c *picture) lanes() map[Status]int {
	y := map[Status]int{}
	for _, s := range bySeverity {
		if slices.ContainsFunc(c.Cells, func(cell *cell) bool { return cell.Found[s] > 0 }) {
			y[s] = baseline + laneHeight*len(y) + laneHeight/2 + 8
			c.Lanes = append(c.Lanes, mark{Text: string(s), Status: s, Y: y[s]})
		}
	}
	return y
}

func (c *picture) bar(of *cell, high chart.Scale, lanes map[Status]int, from, to float64) bar {
	width := min((to-from)*0.8, 5)
	if len(c.Cells) > spacedBars {
		width = (to - from) * 1.08 // no hairlines between neighbours
	}
	middle := (from + to) / 2
	b := bar{
		cell: of, Slot: chart.Number(from), SlotWidth: chart.Number(to - from),
		X: chart.Number(middle - width/2), Width: chart.Number(max(width, 0.12)), Middle: chart.Number(middle),
	}
	stored := high.Height(of.Stored)
	b.Y, b.High = chart.Number(baseline-stored), chart.Number(stored)
	if ghost := high.Height(of.Source) - stored; of.Source > of.Stored {
		b.GhostY, b.GhostHigh = chart.Number(baseline-stored-ghost), chart.Number(ghost)
	}
	for _, s := range bySeverity {
		if of.Found[s] > 0 {
			b.Marks = append(b.Marks, mark{Status: s, Y: lanes[s]})
		}
	}
	return b
}

// summary is what the picture shows, for those who cannot see it.
func (c *picture) summary() string {
	found, days, empty := map[Status]int{}, 0, 0
	least, most := c.Cells[0].Stored, int64(0)
	for _, cell := range c.Cells {
		for s, n := range cell.Found {
			found[s] += n
		}
		days += cell.Days
		least, most = min(least, cell.Stored), max(most, cell.Stored)
		if cell.Stored == 0 {
			empty++
		}
	}
	words := []string{fmt.Sprintf("%s match", humanize.Comma(int64(found[Match])))}
	for _, s := range bySeverity {
		if n := found[s]; n > 0 {
			words = append(words, fmt.Sprintf("%s with rows %s", humanize.Comma(int64(n)), rowsThat[s]))
		}
	}
	extent := fmt.Sprintf("the emptiest %s", humanize.Comma(least))
	if empty > 0 {
		extent = english.Plural(empty, c.Unit+" has", c.Unit+"s have") + " none"
	}
	return fmt.Sprintf("%s to %s, %s: %s. The fullest %s has %s, %s.",
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
