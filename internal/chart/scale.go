package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LeastHeight is that of what holds something, however little, in pixels.
const LeastHeight = 1.5

// letters are so high that lines may not be nearer.
const letters = 14

// Scale turns numbers into pixels. It is linear, so that a bar is as high as it
// counts, unless the usual bar would be too low to be seen beside the highest.
type Scale struct {
	Of   Measure
	Most float64
	High float64 // pixels of the most
	Log  bool
}

// ScaleOf fits a scale of so many pixels to bars, whose usual height decides
// whether it is linear, and to what else is drawn above them.
func ScaleOf(of Measure, high float64, bars []int64, above ...int64) Scale {
	some := slices.DeleteFunc(slices.Clone(bars), func(n int64) bool { return n <= 0 })
	slices.Sort(some)
	s := Scale{Of: of, High: high, Most: float64(slices.Max(slices.Concat([]int64{1}, some, above)))}
	s.Log = len(some) > 0 && s.Most > 50*float64(some[len(some)/2])
	return s
}

// Height of a number in pixels; 0 only for none.
func (s Scale) Height(n int64) float64 {
	if n <= 0 {
		return 0
	}
	return max(LeastHeight, s.at(float64(n)))
}

func (s Scale) at(n float64) float64 {
	part := n / s.Most
	if s.Log {
		least := s.Of.least()
		part = math.Log1p(n/least) / math.Log1p(s.Most/least)
	}
	return part * s.High
}

// Line is a line across a chart: how far it stands above the zero line, in
// pixels, and what it says.
type Line struct {
	Above float64
	Text  string
}

// Lines are at round numbers.
func (s Scale) Lines() []Line {
	lines := []Line{{Text: "0"}}
	at := func(n float64) {
		if line := (Line{Text: s.Of.Short(n), Above: max(LeastHeight, s.at(n))}); line.Above-lines[len(lines)-1].Above > letters {
			lines = append(lines, line)
		}
	}
	if s.Log {
		for _, n := range s.Of.powers(s.Most) {
			at(n)
		}
		return lines
	}
	step := s.Of.step(s.Most / 4)
	for n := step; n <= s.Most; n += step {
		at(n)
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

// Number writes a coordinate without an exponent and without idle digits.
func Number(f float64) string {
	text := strconv.FormatFloat(f, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Share is a part of a whole in percent.
func Share(part, whole time.Duration) float64 { return 100 * float64(part) / float64(whole) }

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
