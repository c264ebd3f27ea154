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

// LeastHeight is that of every number above zero, in pixels.
const LeastHeight = 1.5

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

// Scale turns numbers into pixels. It is linear, unless the usual bar would be too
// low to be seen beside the highest.
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
	if !s.Log {
		return n / s.Most * s.High
	}
	least := 1.0
	if s.Of == Durations {
		least = float64(time.Second)
	}
	return math.Log1p(n/least) / math.Log1p(s.Most/least) * s.High
}

// Line is a line across a chart: how far it is above the zero line, in pixels, and
// its text.
type Line struct {
	Above float64
	Text  string
}

// Lines are at round numbers.
func (s Scale) Lines() []Line {
	lines := []Line{{Text: "0"}}
	for _, n := range s.roundNumbers() {
		if above := max(LeastHeight, s.at(n)); n <= s.Most && above-lines[len(lines)-1].Above > letters {
			lines = append(lines, Line{Text: s.Of.short(n), Above: above})
		}
	}
	return lines
}

func (s Scale) roundNumbers() (all []float64) {
	switch {
	case s.Log && s.Of == Durations:
		for _, d := range rounds {
			all = append(all, float64(d))
		}
	case s.Log:
		for n := 10.0; n <= s.Most; n *= 10 {
			all = append(all, n)
		}
	default:
		step := niceStep(s.Most / 4)
		if s.Of == Durations {
			i, _ := slices.BinarySearch(rounds, time.Duration(s.Most/4))
			step = float64(rounds[min(i, len(rounds)-1)])
		}
		for n := step; n <= s.Most; n += step {
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

// Number writes a coordinate without an exponent and without trailing zeros.
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
