package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/span"
)

// leastHeight is that of every number above zero, in pixels.
const leastHeight = 1.5

// letters are so high that lines may not be nearer.
const letters = 14

// Measure is what the numbers of a chart are.
type Measure int

// Measures.
const (
	Counts    Measure = iota
	Durations         // in nanoseconds
)

// rounds are the lengths of time that people count in.
var rounds = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 10 * day, 100 * day,
}

const day = 24 * time.Hour

// Words writes a number.
func (m Measure) Words(n int64) string {
	if m == Durations {
		return span.Words(time.Duration(n))
	}
	return humanize.Comma(n)
}

// short writes a round number in few letters.
func (m Measure) short(n float64) string {
	if m == Counts {
		for _, unit := range []struct {
			size float64
			name string
		}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}} {
			if n >= unit.size {
				return humanize.Commaf(n/unit.size) + unit.name
			}
		}
	}
	return m.Words(int64(n))
}

// scale turns numbers into pixels. It is linear, unless the usual bar would be too
// low to be seen beside the highest.
type scale struct {
	of   Measure
	most float64
	high float64 // pixels of the most
	log  bool
}

// newScale fits a scale of so many pixels to bars.
func newScale(of Measure, high float64, bars []int64) scale {
	some := slices.DeleteFunc(slices.Clone(bars), func(n int64) bool { return n <= 0 })
	if len(some) == 0 {
		return scale{of: of, high: high, most: 1}
	}
	slices.Sort(some)
	s := scale{of: of, high: high, most: float64(some[len(some)-1])}
	s.log = s.most > 50*float64(some[len(some)/2])
	return s
}

// height of a number in pixels; 0 only for none.
func (s scale) height(n int64) float64 {
	if n <= 0 {
		return 0
	}
	return s.at(float64(n))
}

func (s scale) at(n float64) float64 {
	part := n / s.most
	if s.log {
		least := 1.0
		if s.of == Durations {
			least = float64(time.Second)
		}
		part = math.Log1p(n/least) / math.Log1p(s.most/least)
	}
	return max(leastHeight, part*s.high)
}

// line is a line across a chart, in pixels, and its text.
type line struct {
	Y    float64
	Text string
}

// lines are at round numbers, the zero line at base.
func (s scale) lines(base float64) []line {
	lines := []line{{base, "0"}}
	for _, n := range s.roundNumbers() {
		if y := base - s.at(n); n <= s.most && lines[len(lines)-1].Y-y > letters {
			lines = append(lines, line{y, s.of.short(n)})
		}
	}
	return lines
}

func (s scale) roundNumbers() (all []float64) {
	switch {
	case s.log && s.of == Durations:
		for _, d := range rounds {
			all = append(all, float64(d))
		}
	case s.log:
		for n := 10.0; n <= s.most; n *= 10 {
			all = append(all, n)
		}
	default:
		step := niceStep(s.most / 4)
		if s.of == Durations {
			i, _ := slices.BinarySearch(rounds, time.Duration(s.most/4))
			step = float64(rounds[min(i, len(rounds)-1)])
		}
		for n := step; n <= s.most; n += step {
			all = append(all, n)
		}
	}
	return all
}

// niceStep is the smallest of 1, 2, 5, 10, 20, ... that is not below the number.
func niceStep(n float64) float64 {
	step := 1.0
	for i := 0; step < n; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	return step
}

// number writes a coordinate without an exponent and without trailing zeros.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Sum adds up, and stays at the largest number rather than turn negative.
func Sum(all ...int64) (total int64) {
	for _, n := range all {
		if n = max(0, n); total > math.MaxInt64-n {
			return math.MaxInt64
		}
		total += n
	}
	return total
}
