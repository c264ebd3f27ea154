package chart

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/span"
)

// Measure is what the numbers of a chart are.
type Measure int

// Measures.
const (
	Counts    Measure = iota
	Durations         // in nanoseconds
	Shares            // in hundredths of a percent
)

// rounds are the lengths of time that people count in.
var rounds = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

const day = 24 * time.Hour

// least is what the logarithmic scale of the measure begins at.
func (m Measure) least() float64 {
	if m == Durations {
		return float64(time.Second)
	}
	return 1
}

// step is a round number that is not below n.
func (m Measure) step(n float64) float64 {
	switch m {
	case Durations:
		if i := slices.IndexFunc(rounds, func(d time.Duration) bool { return float64(d) >= n }); i >= 0 {
			return float64(rounds[i])
		}
		return niceStep(n/float64(day)) * float64(day)
	case Shares:
		return niceStep(n/100) * 100
	}
	return niceStep(n)
}

// powers are the lines of a logarithmic scale.
func (m Measure) powers(most float64) (all []float64) {
	if m == Durations {
		for _, d := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, day, 10 * day, 100 * day} {
			if float64(d) <= most {
				all = append(all, float64(d))
			}
		}
		return all
	}
	factor := math.Pow(10, math.Ceil(max(1, math.Log10(most)/4)))
	for n := factor; n <= most; n *= factor {
		all = append(all, n)
	}
	return all
}

// Short writes a round number in few letters.
func (m Measure) Short(n float64) string {
	switch m {
	case Durations:
		return span.Words(time.Duration(n))
	case Shares:
		return humanize.Ftoa(n/100) + "%"
	}
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}} {
		if n >= unit.size {
			return humanize.Commaf(n/unit.size) + unit.name
		}
	}
	return humanize.Comma(int64(n))
}

// Words writes any number.
func (m Measure) Words(n int64) string {
	switch m {
	case Durations:
		return span.Words(time.Duration(n))
	case Shares:
		return strconv.FormatFloat(float64(n)/100, 'f', 1, 64) + "%"
	}
	return humanize.Comma(n)
}
