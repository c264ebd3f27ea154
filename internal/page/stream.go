package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	mostWide   = 400 // columns of a chart over the whole width
	mostNarrow = 130 // of one beside another
)

// card is a stream.
type card struct {
	ID       string
	Title    string
	Stream   *status.Stream
	Fresh    *moment
	Lag      string
	Stale    bool
	Next     *moment
	Oldest   *moment
	Newest   *moment
	Verified *verified
	Rejects  []reject
	Rows     *chart.Columns // nil without rows
	Coverage *chart.Coverage
	Late     *chart.Columns
}

type reject struct {
	Name  string
	Count string
}

// verified is the last comparison with the source.
type verified struct {
	Verdict string
	Tone    string
	At      *moment
}

func (v *view) card(s *status.Stream, i int) card {
	c := card{
		ID: fmt.Sprintf("stream-%d", i), Title: title(s.Name), Stream: s, Fresh: v.maybe(v.Fresh(s.Name)), Next: v.next(s.Name),
		Oldest: v.maybe(s.Oldest), Newest: v.maybe(s.Newest), Verified: v.verified(),
	}
	c.Lag, c.Stale = v.idle(s), v.Stale(s.Name)
	if lag, known := v.Lag(s.Name); known && c.Lag == "" {
		c.Lag = behind(lag)
	}
	if s.Retired {
		c.Next = nil
	}
	for _, r := range s.Reasons {
		c.Rejects = append(c.Rejects, reject{Name: r.Name, Count: comma(r.Count)})
	}
	c.Rows, c.Coverage = v.rows(s, c.ID), v.coverage(s, c.ID)
	if s.Lateness != nil {
		c.Late = lateness(s, c.ID)
	}
	return c
}

// next is when a stream is read again: by its own job, or by the one of all.
func (v *view) next(stream string) *moment {
	for _, name := range []string{stream, "sync"} {
		for _, j := range v.Status.Jobs {
			if j.Name == name {
				return v.moment(j.Next)
			}
		}
	}
	return nil
}

func (v *view) verified() *verified {
	run := v.LastVerification()
	if run == nil {
		return nil
	}
	out := &verified{Verdict: run.Verdict, Tone: "warn", At: v.moment(run.FinishedAt)}
	switch {
	case run.Verdict == "match":
		out.Tone = "ok"
	case run.Verdict == "extra":
		out.Tone = "note"
	case run.Missing > 0:
		out.Tone, out.Verdict = "bad", run.Verdict+", "+count(run.Missing, "row")
	}
	return out
}

// shown is the range of time that the charts of a stream share, so that a gap in
// one is below a gap in the other. It begins with the first row, or with a gap that
// is older: what is covered before, and empty, would press the rows together.
func (v *view) shown(s *status.Stream) chart.Frame {
	from, to := v.At, v.At
	see := func(spans ...status.Span) {
		for _, span := range spans {
			if span.From.Before(from) {
				from = span.From
			}
			if span.To.After(to) {
				to = span.To
			}
		}
	}
	see(s.Gaps()...)
	see(s.Lost()...)
	for _, lane := range s.Lanes {
		switch n := len(lane.Covered); {
		case n > 0 && len(s.Days) == 0:
			see(lane.Covered[0], lane.Covered[n-1])
		case n > 0:
			see(status.Span{From: v.At, To: lane.Covered[n-1].To})
		}
	}
	if n := len(s.Days); n > 0 {
		see(status.Span{From: s.Days[0].Date, To: s.Days[n-1].Date.Add(24*time.Hour - 1)})
	}
	return chart.NewFrame(from, to, mostWide)
}

func (v *view) rows(s *status.Stream, id string) *chart.Columns {
	if len(s.Days) == 0 {
		return nil
	}
	var samples []chart.Sample
	for _, d := range s.Days {
		samples = append(samples, chart.Sample{Date: d.Date, Values: []int64{d.Rows}})
	}
	noun := "row"
	if isSeries(s) {
		noun = "bucket"
	}
	return overTime(v.shown(s), samples, timed{id: id + "-rows", title: title(noun) + "s per", noun: noun, series: []chart.Series{{Name: noun + "s", Tone: "rows"}}})
}

func (v *view) coverage(s *status.Stream, id string) *chart.Coverage {
	frame := v.shown(s)
	c := &chart.Coverage{ID: id + "-coverage", Title: "Coverage", From: frame.From, To: frame.To, Noun: "filter set"}
	if isSeries(s) {
		c.Noun = "series"
	}
	for _, lane := range s.Lanes {
		c.Covers = append(c.Covers, chart.Cover{Name: filter(lane.Filter), Covered: ranges(lane.Covered), Lost: ranges(lane.Lost)})
	}
	if len(c.Covers) == 0 {
		return nil
	}
	return c
}

// isSeries reports whether the rows of a stream are buckets of series.
func isSeries(s *status.Stream) bool {
	of := schema.StreamByName(s.Name)
	return of != nil && of.Kind == schema.Series
}

func ranges(spans []status.Span) (all []chart.Range) {
	for _, s := range spans {
		all = append(all, chart.Range{From: s.From, To: s.To})
	}
	return all
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

// title is a stream's name as a heading.
func title(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	if words == "" {
		return "no name"
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func comma(n int64) string { return humanize.Comma(n) }

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
