package chart

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func texts(s scale) (all []string) {
	for _, l := range s.lines(0) {
		all = append(all, l.Text)
	}
	return all
}

func TestLinesAreAtRoundNumbers(t *testing.T) {
	for _, c := range []struct {
		of   Measure
		bars []int64
		want []string
	}{
		{Counts, nil, []string{"0", "1"}},
		{Counts, []int64{3}, []string{"0", "1", "2", "3"}},
		{Counts, []int64{715, 600}, []string{"0", "200", "400", "600"}},
		{Counts, []int64{17_000_000}, []string{"0", "5M", "10M", "15M"}},
		{Counts, []int64{math.MaxInt64}, []string{"0", "5,000,000T"}},
		{Counts, []int64{5, 5, 5, 9000}, []string{"0", "10", "100", "1,000"}},
		{Counts, []int64{5, 5, 5, 2e6}, []string{"0", "10", "100", "1,000", "10,000", "100,000", "1M"}},
		{Durations, []int64{int64(130 * time.Second)}, []string{"0", "1 min", "2 min"}},
		{Durations, []int64{int64(50 * time.Hour)}, []string{"0", "1 d", "2 d"}},
		{Durations, []int64{4e9, 4e9, 4e9, int64(20 * time.Hour)}, []string{"0", "5 s", "30 s", "2 min", "10 min", "1 h", "6 h"}},
	} {
		if diff := gocmp.Diff(c.want, texts(newScale(c.of, 120, c.bars))); diff != "" {
			t.Errorf("%v: %s", c.bars, diff)
		}
	}
}

func TestLinesAndBarsFitAnyNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bars := rapid.SliceOfN(rapid.Int64(), 1, 50).Draw(t, "bars")
		s := newScale(rapid.SampledFrom([]Measure{Counts, Durations}).Draw(t, "of"), 120, bars)
		above := -letters - 1.0
		for _, l := range s.lines(0) {
			if -l.Y-above < letters || -l.Y > s.high+leastHeight {
				t.Fatalf("the line %q is %v above the zero line, the one below it %v", l.Text, -l.Y, above)
			}
			above = -l.Y
		}
		for _, n := range bars {
			if high := s.height(n); n > 0 != (high >= leastHeight) || n <= 0 && high != 0 || high > s.high+1e-6 {
				t.Fatalf("%d is %v high", n, high)
			}
		}
	})
}

func TestTicksAreFewAndInOrder(t *testing.T) {
	for name, to := range map[string]time.Time{
		"a day": start.AddDate(0, 0, 1), "a week": start.AddDate(0, 0, 7), "a month": start.AddDate(0, 1, 0), "a year": start.AddDate(1, 0, 0),
		"ten years": start.AddDate(10, 0, 0), "9,999 years": time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
	} {
		all := Ticks(start, to)
		if len(all) == 0 || len(all) > mostTicks {
			t.Errorf("%s: %d ticks", name, len(all))
		}
		if !slices.IsSortedFunc(all, func(a, b Tick) int { return cmp.Compare(checked(t, a.X), checked(t, b.X)) }) {
			t.Errorf("%s: %v", name, all)
		}
	}
	if got := Ticks(start, start.AddDate(1, 0, 0)); got[0].Text != "2024-01" || got[1].Text != "2024-03" {
		t.Errorf("a year begins with %v", got[:2])
	}
	if got := Ticks(start, start.Add(36*time.Hour)); got[1].Text != "01-01 06:00" {
		t.Errorf("a day and a half has %v", got)
	}
}

func TestSumsDoNotTurnNegative(t *testing.T) {
	if got := Sum(math.MaxInt64, 1, -5); got != math.MaxInt64 {
		t.Errorf("the sum is %d", got)
	}
}
