package apisim

import (
	"math"
	"slices"
	"strconv"
)

// summary describes the violations per bucket.
type summary struct {
	total, low, high         int64
	average, deviation       float64 // of the population
	tenth, median, ninetieth float64 // percentiles, interpolated
}

func summarise(points []point) (s summary) {
	counts := make([]int64, len(points))
	for i := range points {
		counts[i] = points[i].violations
		s.total += counts[i]
	}
	slices.Sort(counts)
	n := float64(len(counts))
	s.low, s.high, s.average = counts[0], counts[len(counts)-1], float64(s.total)/n
	squares := 0.0
	for _, count := range counts {
		squares += (float64(count) - s.average) * (float64(count) - s.average)
	}
	s.deviation = math.Sqrt(squares / n)
	s.tenth, s.median, s.ninetieth = percentile(counts, 0.1), percentile(counts, 0.5), percentile(counts, 0.9)
	return s
}

// percentile interpolates between the two nearest of the sorted counts.
func percentile(counts []int64, share float64) float64 {
	place := share * float64(len(counts)-1)
	below := int(place)
	above := min(below+1, len(counts)-1)
	return float64(counts[below]) + (place-float64(below))*float64(counts[above]-counts[below])
}

func (s summary) appendJSON(b []byte) []byte {
	b = append(b, `{"total":`...)
	b = strconv.AppendInt(b, s.total, 10)
	b = appendNumber(b, "avg", s.average)
	b = appendNumber(b, "stdDev", s.deviation)
	b = appendNumber(b, "min", float64(s.low))
	b = appendNumber(b, "max", float64(s.high))
	b = appendNumber(b, "p10", s.tenth)
	b = appendNumber(b, "p50", s.median)
	b = appendNumber(b, "p90", s.ninetieth)
	return append(b, '}')
}

func appendNumber(b []byte, name string, value float64) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendFloat(b, value, 'f', -1, 64)
}
