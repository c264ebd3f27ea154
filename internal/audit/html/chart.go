package html

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/chart"
)

// The values of a column, before it is drawn: on how many of its days each status of
// audit.BySeverity was found comes last.
const (
	columnStored = iota
	columnSource
	columnDays
	columnFound
)

// drawDays draws how many rows are stored on each day of a stream, and marks what was
// found; "" if there are no days to show.
func drawDays(s *audit.Stream) (template.HTML, error) {
	days := slices.DeleteFunc(slices.Clone(s.Days), func(d audit.Day) bool { return !d.From.Before(d.To) })
	if len(days) == 0 {
		return "", nil
	}
	// A day may end a little after midnight.
	frame := chart.NewFrame(days[0].From, days[len(days)-1].From.Add(1))
	samples := make([]chart.Sample, len(days))
	for i, d := range days {
		values := make([]int64, columnFound+len(audit.BySeverity))
		values[columnStored], values[columnSource], values[columnDays] = d.Stored, d.Source, 1
		if found := slices.Index(audit.BySeverity, d.Status); found >= 0 {
			values[columnFound+found] = 1
		}
		samples[i] = chart.Sample{Date: d.From, Values: values}
	}
	c := &chart.Columns{
		Words: chart.Words{ID: fmt.Sprintf("days-%x", s.Stream+s.Filter), Title: "Rows stored per " + frame.Unit + " (UTC)", Summary: summary(days, frame)},
		Unit:  "rows", What: "UTC " + frame.Unit, Series: []chart.Series{{Name: "stored", Tone: string(audit.Match)}},
		Columns: frame.Columns(samples, columnFound+len(audit.BySeverity)), Ticks: chart.Ticks(frame.From, frame.To),
	}
	c.Lanes = lanes(c.Columns)
	for i := range c.Columns {
		describeColumn(&c.Columns[i])
	}
	return c.HTML()
}

// lanes mark the columns in which something was found, one lane for each status.
func lanes(columns []chart.Column) (all []chart.Lane) {
	for i, status := range audit.BySeverity {
		lane := chart.Lane{Name: string(status), Tone: class(status), Glyph: glyph(status)}
		for _, c := range columns {
			if c.Values[columnFound+i] > 0 {
				lane.At = append(lane.At, (c.From+c.To)/2)
			}
		}
		if len(lane.At) > 0 {
			all = append(all, lane)
		}
	}
	return all
}

// describeColumn leaves of a column's values what is stored, and says the others in words.
func describeColumn(c *chart.Column) {
	source, days, found := c.Values[columnSource], c.Values[columnDays], c.Values[columnFound:]
	c.Values = c.Values[:1]
	if days == 0 {
		c.Note = "not compared"
		return
	}
	var words []string
	for i, n := range found {
		if n == 0 {
			continue
		}
		words = append(words, string(audit.BySeverity[i]))
		if days > 1 {
			words[len(words)-1] += " on " + english.Plural(int(n), "day", "")
		}
		if c.Tone == "" {
			c.Tone = class(audit.BySeverity[i])
		}
	}
	if len(words) == 0 {
		words = []string{string(audit.Match)}
	}
	c.Note = humanize.Comma(source) + " by the source: " + strings.Join(words, ", ")
}

// summary is what the chart shows, for those who cannot see it.
func summary(days []audit.Day, frame chart.Frame) string {
	found, most := map[audit.Status]int64{}, int64(0)
	for _, d := range days {
		found[d.Status]++
		most = max(most, d.Stored)
	}
	words := []string{humanize.Comma(found[audit.Match]) + " match"}
	for _, s := range audit.BySeverity {
		words = say(words, found[s], "with rows "+rowsThat[s], "with rows "+rowsThat[s])
	}
	return fmt.Sprintf("%s, %s: %s. The fullest day has %s stored.",
		chart.Period(frame.From, frame.To), english.Plural(len(days), "day", ""), english.WordSeries(words, "and"), english.Plural(int(most), "row", ""))
}

var rowsThat = map[audit.Status]string{audit.Missing: "missing", audit.Differs: "that differ", audit.Unproven: "unproven", audit.Extra: "extra"}
