package chart

import (
	"time"
)

// Frame is the range of time that a chart shows, in whole UTC days, and what its
// columns stand for: days, or weeks, months, years if there would be too many.
type Frame struct {
	From, To time.Time
	Unit     string // day, week, month, year or century
	floor    func(time.Time) time.Time
	next     func(time.Time) time.Time
}

// Sample is what was counted on one UTC day: a number for each series.
type Sample struct {
	Date   time.Time
	Values []int64
}

// NewFrame shows the days from one instant to another in no more columns than
// told, if centuries do.
func NewFrame(from, to time.Time, most int) Frame {
	f := Frame{From: midnight(from), To: midnight(to)}
	if f.To.Before(to) || !f.To.After(f.From) {
		f.To = f.To.AddDate(0, 0, 1)
	}
	days := seconds(f.From, f.To) / day.Seconds()
	for _, by := range []struct {
		unit  string
		days  float64
		floor func(time.Time) time.Time
		next  func(time.Time) time.Time
	}{
		{"day", 1, midnight, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"week", 7, func(t time.Time) time.Time { return t.Truncate(7 * day) }, func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }}, // from Monday
		{"month", 30, monthly(1), func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"year", 365, monthly(12), func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"century", 36500, monthly(1200), func(t time.Time) time.Time { return t.AddDate(100, 0, 0) }},
	} {
		f.Unit, f.floor, f.next = by.unit, by.floor, by.next
		if days/by.days <= float64(most) {
			break
		}
	}
	return f
}

// Columns puts the samples, in the order of time, into their columns. Every
// column of the frame is there, and a sample outside of it is in none.
func (f Frame) Columns(samples []Sample, series int) (all []Column) {
	for at := f.floor(f.From); at.Before(f.To); at = f.next(at) {
		first, last := later(at, f.From), earlier(f.next(at), f.To)
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

func midnight(t time.Time) time.Time { return t.UTC().Truncate(day) }

func monthly(step int) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		months := t.Year()*12 + int(t.Month()) - 1
		months -= months % step
		return time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
