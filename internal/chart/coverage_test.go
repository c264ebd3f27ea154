package chart

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/checkpoints"
)

func hours(from, to int) checkpoints.Interval {
	return checkpoints.Interval{From: start.Add(time.Duration(from) * time.Hour), To: start.Add(time.Duration(to) * time.Hour)}
}

// ledgers draws ledgers of a few days, in hours.
func ledgers(t *rapid.T) (all []Ledger) {
	for range rapid.IntRange(1, 9).Draw(t, "ledgers") {
		var l Ledger
		for at := rapid.IntRange(0, 30).Draw(t, "begin"); at < 60; {
			to := at + rapid.IntRange(1, 20).Draw(t, "length")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 3:
				l.Expired = l.Expired.Union(checkpoints.Of(hours(at, to)))
			case 0:
				l.Lost = l.Lost.Union(checkpoints.Of(hours(at, to)))
			case 1:
				l.Covered = l.Covered.Union(checkpoints.Of(hours(at, to)))
			}
			at = to
		}
		extent, _ := l.Covered.Union(l.Lost).Extent()
		l.Gaps = checkpoints.Of(extent).Subtract(l.Covered).Subtract(l.Lost).Subtract(l.Expired)
		all = append(all, l)
	}
	return all
}

func TestLedgersShowEveryHour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := ledgers(t)
		drawn := ranges(all...)
		for hour := range 90 {
			at := start.Add(time.Duration(hour)*time.Hour + 30*time.Minute)
			var want [4]bool // covered, expired, lost, gap
			for _, l := range all {
				switch {
				case l.Covered.Contains(at):
					want[0] = true
				case l.Expired.Contains(at):
					want[1] = true
				case l.Lost.Contains(at):
					want[2] = true
				case l.Gaps.Contains(at):
					want[3] = true
				}
			}
			for i, k := range kinds {
				if got := drawn[i].Contains(at); got != want[i] {
					t.Fatalf("hour %d: %s is %v, want %v", hour, k.name, got, want[i])
				}
			}
		}
	})
}

func TestShortGapsInLongHistoriesAreSeen(t *testing.T) {
	end := start.AddDate(10, 0, 0)
	gap := start.AddDate(3, 0, 0)
	for name, n := range map[string]int{"one": 1, "six": 6, "5,000": 5000} {
		c := &Coverage{Words: Words{ID: "x", Title: "Coverage"}, From: start, To: end, Noun: "series"}
		for range n {
			c.Ledgers = append(c.Ledgers, Ledger{Covered: checkpoints.Set{{From: start, To: end}}})
		}
		c.Ledgers[0].Covered = checkpoints.Set{{From: start, To: gap}, {From: gap.Add(time.Minute), To: end}}
		c.Ledgers[0].Gaps = checkpoints.Set{{From: gap, To: gap.Add(time.Minute)}}
		p := c.figure()
		if len(p.Bands) > mostBands {
			t.Errorf("%s: %d bands", name, len(p.Bands))
		}
		last := p.Bands[0].Pieces[len(p.Bands[0].Pieces)-1]
		if last.Tone == "rows" || checked(t, last.Width) < leastWidth {
			t.Errorf("%s: the gap is drawn as %+v", name, last)
		}
		if len(p.Lanes) != 1 || len(p.Lanes[0].At) != 1 {
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
	var l Ledger
	for i := range 20_000 {
		l.Covered = append(l.Covered, hours(2*i, 2*i+1))
		if i > 0 {
			l.Gaps = append(l.Gaps, hours(2*i-1, 2*i))
		}
	}
	p := (&Coverage{Words: Words{Title: "Coverage"}, From: start, To: hours(0, 40_000).To, Noun: "filter set", Ledgers: []Ledger{l}}).figure()
	if n := len(p.Bands[0].Pieces) + len(p.Lanes[0].At); n > 2000 {
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
		c := &Coverage{From: start, To: start.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "hours")) * time.Hour), Ledgers: ledgers(t), Noun: "series"}
		for _, b := range c.figure().Bands {
			for _, r := range b.Pieces {
				if x, wide := checked(t, r.X), checked(t, r.Width); x < 0 || x+wide > 100.01 || wide < leastWidth-0.001 {
					t.Fatalf("%+v", r)
				}
			}
		}
	})
}

func TestWhatIsLostIsNoGap(t *testing.T) {
	c := &Coverage{Words: Words{Title: "Coverage"}, Noun: "filter set", Ledgers: []Ledger{
		{Covered: checkpoints.Set{hours(0, 10), hours(15, 30)}, Lost: checkpoints.Set{hours(10, 15)}},
	}}
	if got := c.figure().Summary; got != "Covered from 2024-01-01 00:00 to 2024-01-02 06:00, without a gap. The source can no longer give 1 time range: 5 h, from 2024-01-01 10:00 to 2024-01-01 15:00." {
		t.Error(got)
	}
	if got := (&Coverage{Ledgers: []Ledger{{}}}).figure().Summary; got != "Nothing is covered yet." {
		t.Error(got)
	}
}

func TestWhatHasExpiredIsNoGap(t *testing.T) {
	c := &Coverage{
		Words: Words{Title: "Coverage"}, From: hours(36, 36).From, To: hours(96, 96).From, Noun: "filter set",
		Ledgers: []Ledger{{Covered: checkpoints.Set{hours(48, 96)}, Expired: checkpoints.Set{hours(0, 48)}}},
	}
	f := c.figure()
	if f.Summary != "Covered from 2024-01-03 00:00 to 2024-01-05 00:00, without a gap. What is older than 2024-01-03 00:00 has expired." {
		t.Error(f.Summary)
	}
	if len(f.Lanes) != 1 || f.Lanes[0].Name != "expired" || len(f.Lanes[0].At) != 1 || f.Lanes[0].At[0] < 0 {
		t.Errorf("marked as %+v", f.Lanes)
	}
	if n := len(f.Bands[0].Pieces); n != 2 {
		t.Errorf("%d pieces", n)
	}
}
