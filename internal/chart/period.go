package chart

import "time"

// step is how far apart ticks or the starts of columns are: a length, or months.
type step struct {
	text   string // a tick's layout, or what a column is called
	length time.Duration
	months int
}

// starts are the steps that begin before to, the first one at or before from; no
// more than one above most.
func (s step) starts(from, to time.Time, most int) (all []time.Time) {
	at := from.UTC().Truncate(s.length) // weeks begin on Monday
	if s.months > 0 {
		months := at.Year()*12 + int(at.Month()) - 1
		months -= months % s.months
		at = time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
	}
	for at.Before(to) && len(all) <= most {
		all = append(all, at)
		at = at.Add(s.length).AddDate(0, s.months, 0)
	}
	return all
}

// Frame is the range of time that a chart shows, in whole UTC days, and what its
// columns are: days, or weeks, months, years, centuries if there would be too many.
type Frame struct {
	From, To time.Time
	Unit     string // day, week, month, year or century
	starts   []time.Time
}

// Sample is what was counted on one UTC day: a number for each series.
type Sample struct {
	Date   time.Time
	Values []int64
}

// mostColumns bounds the columns of a chart: then days become weeks, and weeks months.
const mostColumns = 400

// NewFrame shows the days from one instant to another.
func NewFrame(from, to time.Time) Frame {
	f := Frame{From: from.UTC().Truncate(day), To: to.UTC().Truncate(day)}
	if f.To.Before(to) || !f.To.After(f.From) {
		f.To = f.To.AddDate(0, 0, 1)
	}
	for _, s := range []step{{"day", day, 0}, {"week", 7 * day, 0}, {"month", 0, 1}, {"year", 0, 12}, {"century", 0, 1200}} {
		f.Unit, f.starts = s.text, s.starts(f.From, f.To, mostColumns)
		if len(f.starts) <= mostColumns {
			break
		}
	}
	return f
}

// Columns puts the samples, in the order of time, into their columns. Every
// column of the frame is there, and a sample outside of it is in none.
func (f Frame) Columns(samples []Sample, series int) (all []Column) {
	for i, first := range f.starts {
		if first.Before(f.From) {
			first = f.From
		}
		last := f.To
		if i+1 < len(f.starts) {
			last = f.starts[i+1]
		}
		c := Column{
			Label: Period(first, last), From: share(f.From, f.To, first), To: share(f.From, f.To, last),
			Values: make([]int64, series),
		}
		for len(samples) > 0 && samples[0].Date.Before(last) {
			if !samples[0].Date.Before(first) {
				for i, n := range samples[0].Values {
					c.Values[i] = Sum(c.Values[i], n)
				}
			}
			samples = samples[1:]
		}
		all = append(all, c)
	}
	return all
}

// Period names whole days, the second excluded.
func Period(from, to time.Time) string {
	first, last := from.UTC().Format(time.DateOnly), to.UTC().Add(-1).Format(time.DateOnly)
	if first == last {
		return first
	}
	return first + " to " + last
}

// mostTicks bounds the dates below a chart: as many as fit side by side.
const mostTicks = 7

// Tick is a text below a chart.
type Tick struct {
	X      float64 // percent
	Text   string
	Anchor string // start, middle or end
	Detail string // "", fine, finer or finer long: how little room it takes to leave it out
}

// Ticks are the times below a chart: hours below one of a few days, then days,
// months or years.
func Ticks(from, to time.Time) (all []Tick) {
	layout, starts := tickTimes(from, to)
	for _, at := range starts {
		if at.Before(from) {
			continue
		}
		tick := TickAt(share(from, to, at), at.Format(layout))
		tick.Detail = []string{"", "fine", "finer", "fine"}[len(all)%4]
		if tick.Detail == "finer" && len(tick.Text) > len("2006-01") {
			tick.Detail = "finer long"
		}
		all = append(all, tick)
	}
	return all
}

// tickTimes are as far apart as they must be to be few.
func tickTimes(from, to time.Time) (layout string, starts []time.Time) {
	for _, unit := range []struct {
		step
		multiples []int
	}{
		{step{"01-02 15:04", time.Hour, 0}, []int{1, 3, 6, 12}},
		{step{time.DateOnly, day, 0}, []int{1, 2, 7, 14}},
		{step{"2006-01", 0, 1}, []int{1, 2, 6}},
		{step{"2006", 0, 12}, []int{1, 2, 5, 10, 50, 100, 500, 2000}},
	} {
		for _, n := range unit.multiples {
			apart := step{unit.text, time.Duration(n) * unit.length, n * unit.months}
			if starts = apart.starts(from, to, mostTicks); len(starts) <= mostTicks {
				return unit.text, starts
			}
		}
	}
	return "", nil
}

// TickAt is a tick at a place in percent. It keeps the texts of the ends within the
// chart.
func TickAt(x float64, text string) Tick {
	t := Tick{Text: text, X: x, Anchor: "middle"}
	switch {
	case x < float64(len(text))*0.8:
		t.Anchor = "start"
	case x > 100-float64(len(text)):
		t.Anchor = "end"
	}
	return t
}

// share is where an instant is in a range, in percent. Ranges may be longer than
// the 292 years of a time.Duration.
func share(from, to, at time.Time) float64 {
	whole := seconds(from, to)
	if whole <= 0 {
		return 0
	}
	return min(100, max(0, 100*seconds(from, at)/whole))
}

func seconds(from, to time.Time) float64 {
	return float64(to.Unix()-from.Unix()) + float64(to.Nanosecond()-from.Nanosecond())/1e9
}
