package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/schema"
)

// card is a stream.
type card struct {
	*status.Stream
	ID       string
	Fresh    *time.Time
	Lag      string
	Stale    bool
	Days     *chart.Columns // nil without rows
	Coverage *chart.Coverage
	Late     string // "" if no row came late
}

// Cards are those of all streams.
func (v *view) Cards() (all []card) {
	if v.Holdings == nil {
		return nil
	}
	for i := range v.Holdings.Streams {
		all = append(all, v.card(&v.Holdings.Streams[i], i))
	}
	return all
}

func (v *view) card(s *status.Stream, i int) card {
	c := card{
		Stream: s, ID: fmt.Sprintf("stream-%d", i), Fresh: v.Fresh(s.Name), Lag: v.lag(s), Stale: v.Stale(s.Name), Late: lateWords(s),
	}
	row, ledger := "row", "filter set"
	if schema.IsSeries(s.Name) {
		row, ledger = "bucket", "series"
	}
	frame := v.frame(s)
	if len(s.Days) > 0 {
		var samples []chart.Sample
		for _, d := range s.Days {
			samples = append(samples, chart.Sample{Date: d.Date, Values: []int64{d.Rows}})
		}
		c.Days = overTime(frame, samples, c.ID+"-rows", capital(row)+"s per", row, []chart.Series{{Name: row + "s", Tone: "rows"}})
	}
	if len(s.Lanes) > 0 {
		c.Coverage = &chart.Coverage{Words: chart.Words{ID: c.ID + "-coverage", Title: "Coverage"}, From: frame.From, To: frame.To, Noun: ledger}
		for _, lane := range s.Lanes {
			c.Coverage.Ledgers = append(c.Coverage.Ledgers, chart.Ledger{Name: filter(lane.Filter), Covered: lane.Covered, Expired: lane.Expired, Lost: lane.Lost, Gaps: lane.Gaps()})
		}
	}
	return c
}

// frame is the range of time that the charts of a stream share, so that a gap in
// one is below a gap in the other. It begins with the first row, or with a gap that
// is older: what is covered before, and empty, would press the rows together. Of what has
// expired the end is shown.
func (v *view) frame(s *status.Stream) chart.Frame {
	from, to := v.At, v.At
	include := func(shown ...checkpoints.Interval) {
		for _, i := range shown {
			if i.From.Before(from) {
				from = i.From
			}
			if i.To.After(to) {
				to = i.To
			}
		}
	}
	include(s.Gaps()...)
	include(s.Lost()...)
	for _, d := range s.Days {
		include(checkpoints.Interval{From: d.Date, To: d.Date.Add(24*time.Hour - 1)})
	}
	for _, lane := range s.Lanes {
		for _, covered := range lane.Covered {
			if len(s.Days) > 0 {
				covered.From = covered.To
			}
			include(covered)
		}
	}
	for _, lane := range s.Lanes {
		if expired, ok := lane.Expired.Extent(); ok {
			expired.From = expired.To.Add(-v.At.Sub(expired.To) / 12)
			include(expired)
		}
	}
	return chart.NewFrame(from, to)
}

// filter writes a filter set in words.
func filter(set string) string {
	var words []string
	for _, t := range visible.Terms(set) {
		words = append(words, strings.TrimSpace(t.Key+" "+strings.Join(t.Values, ", ")))
	}
	if len(words) == 0 {
		return "everything"
	}
	return strings.Join(words, "; ")
}

// lag says how far behind a stream is read, or why no rows of it are awaited; "" if
// it is not known.
func (v *view) lag(s *status.Stream) string {
	lag, known := v.Lag(s.Name)
	switch {
	case s.Retired:
		return "no longer synced"
	case !v.Awaited(s.Name):
		return "not served"
	case !known:
		return ""
	case lag < time.Minute:
		return "up to date"
	}
	return span.Rough(lag) + " behind"
}

// lateWords says how late rows come, and how far back a run looks for them.
func lateWords(s *status.Stream) string {
	l := s.Lateness
	if l == nil {
		return ""
	}
	text := l.Words()
	switch {
	case s.Lookback <= 0:
		return text
	case l.Max > s.Lookback:
		return text + fmt.Sprintf(" That is more than the lookback of %s.", span.Words(s.Lookback))
	}
	return text + fmt.Sprintf(" The lookback is %s.", span.Words(s.Lookback))
}
