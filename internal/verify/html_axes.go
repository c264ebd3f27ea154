package verify

import (
	"math"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// mostTicks bounds the dates below a chart: as many as stand side by side.
const mostTicks = 7

// scale turns rows into pixels. It is linear, so that a bar is as high as it has
// rows, unless the usual day would be too low to be seen beside the fullest.
type scale struct {
	most float64
	log  bool
}

func scaleOf(all []*cell) scale {
	var some []int64
	most := int64(1)
	for _, c := range all {
		if c.Held > 0 {
			some = append(some, c.Held)
		}
		most = max(most, c.Held, c.Source)
	}
	slices.Sort(some)
	s := scale{most: float64(most)}
	s.log = len(some) > 0 && most > 50*some[len(some)/2]
	return s
}

func (s scale) height(n int64) float64 {
	if n <= 0 {
		return 0
	}
	part := float64(n) / s.most
	if s.log {
		part = math.Log1p(float64(n)) / math.Log1p(s.most)
	}
	return max(leastBar, part*plotHeight)
}

// lines are at round numbers of rows.
func (s scale) lines() []mark {
	lines := []mark{{Text: "0", Y: baseline}}
	step, factor := niceStep(s.most/4), 1.0
	if s.log {
		factor = 10
		if s.most > 1e4 {
			factor = 100
		}
		step = factor
	}
	for at := step; at <= s.most; {
		lines = append(lines, mark{Text: short(at), Y: baseline - int(math.Round(s.height(int64(at))))})
		if at *= factor; factor == 1 {
			at += step
		}
	}
	return lines
}

// niceStep is the smallest of 1, 2, 5, 10, 20, ... that is not below the number.
func niceStep(n float64) float64 {
	step := 1.0
	for i := 0; step < n; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	return step
}

func short(n float64) string {
	if n >= 1e6 {
		return humanize.Ftoa(n/1e6) + "M"
	}
	return humanize.Comma(int64(n))
}

// ticks are the dates below a chart, some days, months or years apart.
func ticks(from, to time.Time) (all []mark) {
	for _, days := range []int{1, 2, 7, 14} {
		if all = dayTicks(from, to, days); len(all) <= mostTicks {
			return all
		}
	}
	for _, months := range []int{1, 2, 3, 6, 12, 24, 60, 120, 600} {
		if all = monthTicks(from, to, months); len(all) <= mostTicks {
			break
		}
	}
	return all
}

// dayTicks stand below the middle of a day.
func dayTicks(from, to time.Time, step int) (all []mark) {
	for at := NextDay(from).AddDate(0, 0, -1); at.Before(to) && len(all) <= mostTicks; at = at.AddDate(0, 0, step) {
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
func monthTicks(from, to time.Time, step int) (all []mark) {
	layout := "2006-01"
	if step >= 12 {
		layout = "2006"
	}
	for at := NextMonth(from.Add(-1)); at.Before(to) && len(all) <= mostTicks; at = at.AddDate(0, 1, 0) {
		if (at.Year()*12+int(at.Month())-1)%step == 0 {
			all = append(all, tick(from, to, at, layout, len(all)))
		}
	}
	return all
}

func tick(from, to, at time.Time, layout string, index int) mark {
	x := share(at.Sub(from), to.Sub(from))
	m := mark{Text: at.UTC().Format(layout), X: number(x), Anchor: "middle", Detail: []string{"", "fine", "finer", "fine"}[index%4]}
	switch {
	case x < 8:
		m.Anchor = "start"
	case x > 90:
		m.Anchor = "end"
	}
	return m
}
