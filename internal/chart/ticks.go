package chart

import "time"

// mostTicks bounds the dates below a chart: as many as stand side by side.
const mostTicks = 7

// Tick is a text below a chart.
type Tick struct {
	X      string // percent
	Text   string
	Anchor string // start, middle or end
	Detail string // "", fine or finer: how little room it takes to leave it out
}

// Ticks are the dates below a chart, some days, months or years apart.
func Ticks(from, to time.Time) (all []Tick) {
	for _, days := range []int{1, 2, 7, 14} {
		if all = dayTicks(from, to, days); len(all) <= mostTicks {
			return all
		}
	}
	for _, months := range []int{1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 6000, 12000, 60000} {
		if all = monthTicks(from, to, months); len(all) <= mostTicks {
			break
		}
	}
	return all
}

// hourTicks are the times below a chart of a day or two, where an hour counts.
func hourTicks(from, to time.Time) (all []Tick) {
	for _, hours := range []int{1, 3, 6, 12} {
		step := time.Duration(hours) * time.Hour
		all = nil
		for at := from.UTC().Truncate(step); !at.After(to) && len(all) <= mostTicks; at = at.Add(step) {
			if !at.Before(from) {
				all = append(all, tick(from, to, at, "01-02 15:04", len(all)))
			}
		}
		if len(all) <= mostTicks {
			break
		}
	}
	return all
}

// dayTicks stand below the middle of a day.
func dayTicks(from, to time.Time, step int) (all []Tick) {
	for at := from.UTC().Truncate(day); at.Before(to) && len(all) <= mostTicks; at = at.AddDate(0, 0, step) {
		first, last := at, at.AddDate(0, 0, 1)
		if first.Before(from) {
			first = from
		}
		if last.After(to) {
			last = to
		}
		all = append(all, tick(from, to, first.Add(last.Sub(first)/2), time.DateOnly, len(all)))
	}
	return all
}

// monthTicks stand where a month begins.
func monthTicks(from, to time.Time, step int) (all []Tick) {
	layout := "2006-01"
	if step >= 12 {
		layout = "2006"
	}
	from = from.UTC()
	months := from.Year()*12 + int(from.Month()) - 1
	for months -= months % step; len(all) <= mostTicks; months += step {
		at := time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
		if !at.Before(to) {
			break
		}
		if !at.Before(from) {
			all = append(all, tick(from, to, at, layout, len(all)))
		}
	}
	return all
}

func tick(from, to, at time.Time, layout string, index int) Tick {
	t := tickAt(share(from, to, at), at.UTC().Format(layout))
	t.Detail = []string{"", "fine", "finer", "fine"}[index%4]
	return t
}

// tickAt keeps the texts of the ends within the chart.
func tickAt(x float64, text string) Tick {
	t := Tick{Text: text, X: Number(x), Anchor: "middle"}
	switch {
	case x < float64(len(text))*0.8:
		t.Anchor = "start"
	case x > 100-float64(len(text)):
		t.Anchor = "end"
	}
	return t
}

// share is where an instant lies in a range, in percent. Ranges may be longer than
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
