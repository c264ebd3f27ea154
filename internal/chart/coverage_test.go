package chart

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func hours(from, to int) Range {
	return Range{start.Add(time.Duration(from) * time.Hour), start.Add(time.Duration(to) * time.Hour)}
}

// covers draws ledgers of a few days, in hours.
func covers(t *rapid.T) (all []Cover) {
	for range rapid.IntRange(1, 9).Draw(t, "ledgers") {
		var c Cover
		for at := rapid.IntRange(0, 30).Draw(t, "begin"); at < 60; {
			to := at + rapid.IntRange(1, 20).Draw(t, "length")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				c.Lost = append(c.Lost, hours(at, to))
			case 1:
				c.Covered = append(c.Covered, hours(at, to))
			}
			at = to
		}
		all = append(all, c)
	}
	return all
}

func within(all []Range, at time.Time) bool {
	for _, r := range all {
		if !at.Before(r.From) && at.Before(r.To) {
			return true
		}
	}
	return false
}

func TestMergedLedgersTellOfEveryHour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledgers := covers(t)
		pieces := merge(ledgers)
		for hour := range 90 {
			at := start.Add(time.Duration(hour)*time.Hour + 30*time.Minute)
			var want piece
			for _, c := range ledgers {
				extent, some := c.extent()
				switch {
				case within(c.Covered, at):
					want.full++
				case within(c.Lost, at):
					want.losses++
				case some && within([]Range{extent}, at):
					want.gaps++
				}
			}
			var got piece
			for _, p := range pieces {
				if within([]Range{p.Range}, at) {
					got = p
				}
			}
			if got.full != want.full || got.losses != want.losses || got.gaps != want.gaps {
				t.Fatalf("hour %d: %+v, want %+v", hour, got, want)
			}
			if want.full+want.gaps+want.losses > 0 && got.State != stateOf(want) {
				t.Fatalf("hour %d is %s", hour, got.State)
			}
		}
	})
}

func TestShortGapsInLongHistoriesAreSeen(t *testing.T) {
	end := start.AddDate(10, 0, 0)
	gap := start.AddDate(3, 0, 0)
	for name, ledgers := range map[string]int{"one": 1, "six": 6, "5,000": 5000} {
		c := &Coverage{ID: "x", Title: "Coverage", From: start, To: end, Noun: "series"}
		for range ledgers {
			c.Covers = append(c.Covers, Cover{Covered: []Range{{start, end}}})
		}
		c.Covers[0].Covered = []Range{{start, gap}, {gap.Add(time.Minute), end}}
		p := c.plot()
		if len(p.Bands) > mostLanes {
			t.Errorf("%s: %d bands", name, len(p.Bands))
		}
		last := p.Bands[0].Pieces[len(p.Bands[0].Pieces)-1]
		if last.Tone == "rows" || number(t, last.Width) < leastWidth {
			t.Errorf("%s: the gap is drawn as %+v", name, last)
		}
		if len(p.Lanes) != 1 || len(p.Lanes[0].Marks) != 1 {
			t.Errorf("%s: the gap is marked as %+v", name, p.Lanes)
		}
		if !strings.Contains(p.Summary, "1 gap: 1 min, from 2026-12-31 00:00 to 2026-12-31 00:01") && !strings.Contains(p.Summary, "1 gap: 1 min, from 2027-01-01 00:00") {
			t.Errorf("%s: %s", name, p.Summary)
		}
		if words := fmt.Sprint(p.Table.Rows); !strings.Contains(words, "gap") {
			t.Errorf("%s: the table says %s", name, words)
		}
	}
}

func TestManyGapsAreBounded(t *testing.T) {
	var c Cover
	for i := range 20_000 {
		c.Covered = append(c.Covered, hours(2*i, 2*i+1))
	}
	p := (&Coverage{Title: "Coverage", Noun: "filter set", Covers: []Cover{c}}).plot()
	if n := len(p.Bands[0].Pieces) + len(p.Lanes[0].Marks); n > 2000 {
		t.Errorf("%d shapes", n)
	}
	if len(p.Table.Rows) != mostRows || p.Table.More == "" {
		t.Errorf("%d rows, %q", len(p.Table.Rows), p.Table.More)
	}
	if !strings.Contains(p.Summary, "with 19,999 gaps: the longest 1 h") {
		t.Error(p.Summary)
	}
}

func TestShapesStayInTheirChart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Coverage{From: start, To: start.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "hours")) * time.Hour), Covers: covers(t), Noun: "series"}
		for _, b := range c.plot().Bands {
			for _, r := range b.Pieces {
				if x, wide := number(t, r.X), number(t, r.Width); x < 0 || x+wide > 100.01 || wide < leastWidth-0.001 {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}

func TestWhatIsLostIsNoGap(t *testing.T) {
	c := &Coverage{Title: "Coverage", Noun: "filter set", Covers: []Cover{
		{Covered: []Range{hours(0, 10), hours(15, 30)}, Lost: []Range{hours(10, 15)}},
	}}
	if got := c.plot().Summary; got != "Covered from 2024-01-01 00:00 to 2024-01-02 06:00, without a gap. The source can no longer give 1 time range: 5 h, from 2024-01-01 10:00 to 2024-01-01 15:00." {
		t.Error(got)
	}
	if got := (&Coverage{Covers: []Cover{{}}}).plot().Summary; got != "Nothing is covered yet." {
		t.Error(got)
	}
}
