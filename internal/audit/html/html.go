// Package html writes the report of a verification, and that of an erasure, as an HTML page
// that needs no other file.
package html

import (
	"cmp"
	"embed"
	"html/template"
	"io"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/chart"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/schema"
)

const (
	// mostFindings bounds the findings that a page shows; the JSON has them all.
	mostFindings = 200
	// mostSamples bounds the ids that a page shows of one finding.
	mostSamples = 10
	// mostOpen bounds the rows of a table that is not folded.
	mostOpen = 12
)

//go:embed report.html.tmpl erasure.html.tmpl report.css
var pages embed.FS

var pageTemplate = template.Must(template.New("report.html.tmpl").Funcs(template.FuncMap{
	"comma":   humanize.Comma,
	"count":   func(n int) string { return humanize.Comma(int64(n)) },
	"stamp":   stamp,
	"date":    date,
	"show":    visible.Text,
	"terms":   visible.Terms,
	"class":   class,
	"glyph":   glyph,
	"chart":   drawDays,
	"css":     func() template.CSS { return template.CSS(chart.CSS) }, //nolint:gosec // it is ours
	"tallies": tallies,
}).ParseFS(pages, "*"))

// Write writes the report as one HTML file that needs nothing else: no
// script, no font, no address is loaded. Everything in a report may come from a
// stranger, so html/template escapes it all, and what does not print is spelled
// out.
func Write(w io.Writer, r *audit.Report) error { return pageTemplate.Execute(w, newPage(r)) }

// page is a report arranged for reading.
type page struct {
	*audit.Report
	Verdict    verdict
	Scope      string
	Took       string
	Lists      []*audit.Stream
	Series     folded[*audit.Stream]
	Findings   []found
	Unshown    int // findings beyond those of the page
	Ledger     folded[checkpoints.Line]
	CrossCheck folded[audit.CrossCheck]
	Agree      [2]int64 // buckets that agree, of those compared
}

// found is a finding and where it was made.
type found struct {
	audit.Finding
	Stream *audit.Stream
	More   int // samples beyond those of the page
}

// folded is a table whose dull rows are folded away if there are many.
type folded[T any] struct {
	Open, Rest []T
}

// Len is how many rows the table has, folded or not.
func (f folded[T]) Len() int { return len(f.Open) + len(f.Rest) }

// fold keeps the rows open that deserve a look, and all if they are few.
func fold[T any](all []T, deserves func(T) bool) (f folded[T]) {
	if len(all) <= mostOpen {
		return folded[T]{Open: all}
	}
	for _, row := range all {
		if deserves(row) {
			f.Open = append(f.Open, row)
		} else {
			f.Rest = append(f.Rest, row)
		}
	}
	return f
}

func newPage(r *audit.Report) *page {
	p := &page{Report: r, Verdict: verdictOf(r), Scope: scope(r), Took: span.Words(r.FinishedAt.Sub(r.StartedAt))}
	var series []*audit.Stream
	for _, s := range r.Streams {
		if schema.IsSeries(s.Stream) {
			series = append(series, s)
		} else {
			p.Lists = append(p.Lists, s)
		}
	}
	p.Series = fold(series, func(s *audit.Stream) bool { return s.Status != audit.Match })
	p.Findings = findings(r.Streams)
	if more := len(p.Findings) - mostFindings; more > 0 {
		p.Findings, p.Unshown = p.Findings[:mostFindings], more
	}
	p.Ledger = fold(r.Coverage, func(l checkpoints.Line) bool { return !schema.IsSeries(l.Stream) })
	p.CrossCheck = fold(r.CrossChecks, func(w audit.CrossCheck) bool { return w.Agree != w.Buckets })
	for _, w := range r.CrossChecks {
		p.Agree[0] += w.Agree
		p.Agree[1] += w.Buckets
	}
	return p
}

// findings lists those of all streams, the worst first: a page that is cut off
// must not hide what is missing behind rows that the source has deleted.
func findings(streams []*audit.Stream) (all []found) {
	for _, s := range streams {
		for _, f := range s.Findings {
			more := max(0, len(f.Samples)-mostSamples)
			f.Samples = f.Samples[:len(f.Samples)-more]
			all = append(all, found{Finding: f, Stream: s, More: more})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.Worst().Severity(), a.Worst().Severity()) })
	return all
}
