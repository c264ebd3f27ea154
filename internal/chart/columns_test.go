package chart

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// checked is a coordinate.
func checked(t interface{ Fatal(...any) }, f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		t.Fatal("no coordinate: ", f)
	}
	return f
}

func TestHistoriesOfAnyLengthFit(t *testing.T) {
	for _, c := range []struct {
		days, columns int
		unit          string
	}{{1, 1, "day"}, {365, 365, "day"}, {400, 400, "day"}, {401, 58, "week"}, {3653, 120, "month"}, {36500, 100, "year"}, {3_650_000, 101, "century"}} {
		f := NewFrame(start, start.AddDate(0, 0, c.days))
		columns := f.Columns(nil, 1)
		if f.Unit != c.unit || len(columns) != c.columns {
			t.Errorf("%d days are %d columns of a %s, want %d of a %s", c.days, len(columns), f.Unit, c.columns, c.unit)
		}
		if first, last := columns[0], columns[len(columns)-1]; first.From != 0 || last.To != 100 {
			t.Errorf("%d days reach from %v to %v", c.days, first.From, last.To)
		}
	}
}

func TestNoRowIsLostBetweenDaysAndColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 60_000), 1, 60, rapid.ID[int]).Draw(t, "days")
		last := 0
		for _, d := range days {
			last = max(last, d)
		}
		has := map[int]bool{}
		for _, d := range days {
			has[d] = true
		}
		var samples []Sample
		want := int64(0)
		for d := range last + 1 {
			if has[d] {
				n := rapid.Int64Range(0, 1e6).Draw(t, "rows")
				samples = append(samples, Sample{Date: start.AddDate(0, 0, d), Values: []int64{n, n / 2}})
				want += n + n/2
			}
		}
		f := NewFrame(start, start.AddDate(0, 0, last+1))
		c := &Columns{Series: []Series{{Name: "a", Tone: "a"}, {Name: "b", Tone: "b"}}, Columns: f.Columns(samples, 2), What: "Day"}
		got, x := int64(0), 0.0
		for _, column := range c.Columns {
			if column.From != x {
				t.Fatalf("a column begins at %v, the one before ends at %v", column.From, x)
			}
			got, x = got+column.Total(), column.To
		}
		if got != want {
			t.Fatalf("the columns have %d, the days %d", got, want)
		}
		checkBars(t, c)
	})
}

// checkBars checks that the bars are as high as their numbers, and seen at all.
func checkBars(t *rapid.T, c *Columns) {
	p, scale := c.figure(), c.scale()
	inTable := int64(0)
	for _, row := range p.Table.Rows {
		n, err := strconv.ParseInt(strings.ReplaceAll(row[3], ",", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		inTable += n
	}
	for i, b := range p.Bars {
		total := c.Columns[i].Total()
		inTable -= total
		high := 0.0
		for _, part := range b.Parts {
			if checked(t, part.Width) < 0.12 {
				t.Fatalf("a bar is %v%% wide", part.Width)
			}
			y, h := checked(t, part.Y), checked(t, part.Height)
			if high += h; h < leastHeight || math.Abs(y+high-float64(p.Base)) > 0.01 {
				t.Fatalf("a part of %d is %v high, at %v", total, h, y)
			}
		}
		if extra := high - scale.height(total); extra < -0.01 || extra > 2*leastHeight+0.01 {
			t.Fatalf("%d is %v high, want %v", total, high, scale.height(total))
		}
	}
	if inTable != 0 {
		t.Fatalf("the table lacks %d", -inTable)
	}
}

func TestFiguresSayWhatTheyShow(t *testing.T) {
	c := &Columns{
		Words: Words{ID: "x", Title: "Rows <b>", Summary: "three\u202e"}, Unit: "rows", What: "Day",
		Series:  []Series{{Name: "low", Tone: "low"}, {Name: "high", Tone: "high"}},
		Columns: []Column{{Label: "mon\x00day", To: 50, Values: []int64{1, 2}, Note: "a note"}, {Label: "tuesday", From: 50, To: 100, Values: []int64{0, 0}}},
		Lanes:   []Lane{{Name: "here", Tone: "bad", Glyph: Cross, At: []float64{10, 10.01, 20}}},
		Ticks:   []Tick{TickAt(50, "noon")},
	}
	html, err := c.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]int{
		`role="img" aria-labelledby="x-name" aria-describedby="x-words"`: 1, `id="x-name">Rows &lt;b&gt;</b>`: 1, `three\u202e`: 1,
		`mon\x00day: 1 low, 2 high; 3 in all; a note</title>`: 1, `tuesday: none</title>`: 1, `class="fill t-bad"`: 2, "1 without any are left out": 1,
		`<th scope="row">tuesday</th>`: 0, `class="fill t-high"`: 1, "<b>": 0,
	} {
		if got := strings.Count(string(html), want); got != n {
			t.Errorf("%d times %q, want %d", got, want, n)
		}
	}
}

func TestRankingsCompareNames(t *testing.T) {
	r := &Ranking{Series: []Series{{Tone: "a"}, {Tone: "b"}}, Rows: []Ranked{
		{Name: "much", Values: []int64{300, 100, 7}},
		{Name: "little", Values: []int64{1, 0, 0}},
		{Name: "none", Values: []int64{0, 0, 0}},
		{Name: "the rest", Rest: true, Values: []int64{9000, 0, 0}},
		{Name: "too much", Values: []int64{math.MaxInt64, math.MaxInt64, 0}},
	}}
	r.Rows = r.Rows[:4]
	html, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if parts := r.Rows[0].Parts; parts[0].Width != 75 || parts[1].X != 75 || parts[1].Width != 25 {
		t.Errorf("the first bar is %v", parts)
	}
	if parts := r.Rows[1].Parts; len(parts) != 1 || parts[0].Width != leastWidth {
		t.Errorf("a little is %v", parts)
	}
	if len(r.Rows[2].Parts)+len(r.Rows[3].Parts) != 0 {
		t.Error("none or the rest has a bar")
	}
	if !strings.Contains(string(html), `<td class="num">9,000</td>`) {
		t.Errorf("the rest is %v", r.Rows[3])
	}
}

func TestPeriodsNameWholeDays(t *testing.T) {
	if got := Period(start, start.AddDate(0, 0, 1)); got != "2024-01-01" {
		t.Error(got)
	}
	if got := Period(start, start.AddDate(0, 0, 7)); got != "2024-01-01 to 2024-01-07" {
		t.Error(got)
	}
	if f := NewFrame(start.Add(5*time.Hour), start.Add(6*time.Hour)); !f.To.Equal(start.AddDate(0, 0, 1)) {
		t.Error(f.To)
	}
}

func TestAPaleColumnSaysWhy(t *testing.T) {
	c := &Columns{Series: []Series{{Name: "rows", Tone: "rows"}}, What: "Day", Columns: []Column{
		{Label: "one", To: 50, Values: []int64{3}}, {Label: "two", From: 50, To: 100, Values: []int64{0}, Note: "noted", Pale: "not complete"},
	}}
	drawn, err := c.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<g class="bar"><title>one: 3 rows</title>`, `<g class="bar pale"><title>two: 0 rows; noted; not complete</title>`, `t-pale"></span>not complete</li>`, "noted; not complete</td>"} {
		if !strings.Contains(string(drawn), want) {
			t.Errorf("the chart lacks %q", want)
		}
	}
}
