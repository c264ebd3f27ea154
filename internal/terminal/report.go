package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/visible"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Report prints a verification.
func Report(out io.Writer, r *audit.Report) {
	t := Table(out, "stream", "status", "compared from", "to", ">source", ">stored", ">missing", ">extra", ">differs", ">unproven")
	for _, s := range joined(r.Streams) {
		t.AppendRow(figures(s))
	}
	t.Render()
	for _, s := range r.Streams {
		if s.Status == audit.NotVerified {
			fmt.Fprintf(out, "%s was not verified: %s\n", label(s), visible.Short(s.Error, 300))
		}
	}
	if n := r.Withheld(); n > 0 {
		fmt.Fprintf(out, "%s of the source not stored: they are of those who were forgotten or are suppressed. Statistics count them still.\n", english.Plural(int(n), "row is", "rows are"))
	}
	findings(out, r)
	files(out, r)
	crossChecks(out, r)
	fmt.Fprintf(out, "\n%s; %s in %s.\n", verdict(r), english.Plural(int(r.Requests), "request", ""),
		r.FinishedAt.Sub(r.StartedAt).Round(10*time.Millisecond))
}

// figures is the line of a stream. What was not compared has none.
func figures(s *audit.Stream) table.Row {
	if !s.Compared() {
		return table.Row{label(s), colour(s.Status), "–", "–", "–", "–", "–", "–", "–", "–"}
	}
	return table.Row{
		label(s), colour(s.Status), Stamp(&s.From), Stamp(&s.To), humanize.Comma(s.Source), humanize.Comma(s.Stored),
		warnAbove(s.Missing), warnAbove(s.Extra), warnAbove(s.Differs), warnAbove(s.Unproven),
	}
}

func verdict(r *audit.Report) string {
	switch r.Status {
	case audit.NotVerified:
		return text.FgYellow.Sprint("Not everything could be compared: " + r.Differences())
	case audit.Match:
		if r.Withheld() > 0 {
			return text.FgGreen.Sprint("Everything that the source counts is stored or withheld, and every published file is what it should be")
		}
		return text.FgGreen.Sprint("Everything that the source counts is stored, and every published file is what it should be")
	}
	return text.FgYellow.Sprint("Differs: " + r.Differences())
}

// joined puts the series of statistics that match into one line.
func joined(streams []*audit.Stream) (lines []*audit.Stream) {
	var all *audit.Stream
	series := 0
	for _, s := range streams {
		if !schema.IsSeries(s.Stream) || s.Status != audit.Match {
			lines = append(lines, s)
			continue
		}
		series++
		if all == nil {
			all = &audit.Stream{Stream: s.Stream, Status: s.Status, From: s.From, To: s.To}
		}
		all.Source += s.Source
		all.Stored += s.Stored
		if s.From.Before(all.From) {
			all.From = s.From
		}
		if s.To.After(all.To) {
			all.To = s.To
		}
	}
	if all != nil {
		all.Filter = english.Plural(series, "series", "series")
		lines = append(lines, all)
	}
	return lines
}

// label names a stream, and the series or filter set if there is one.
func label(s *audit.Stream) string {
	if s.Filter == "{}" {
		return s.Stream
	}
	return s.Stream + " " + visible.Short(s.Filter, 60)
}

func colour(s audit.Status) string {
	switch s {
	case audit.Match:
		return text.FgGreen.Sprint(s)
	case audit.NotServed:
		return text.Faint.Sprint(s)
	}
	return text.FgYellow.Sprint(s)
}

func findings(out io.Writer, r *audit.Report) {
	const milliseconds = "2006-01-02 15:04:05.000Z"
	var rows []table.Row
	for _, s := range r.Streams {
		for _, f := range s.Findings {
			rows = append(rows, table.Row{
				s.Stream, f.From.UTC().Format(milliseconds), f.To.UTC().Format(milliseconds),
				f.Missing, f.Extra, f.Differs, f.Unproven, sampleIDs(f.Samples),
			})
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := Table(out, "difference in", "from", "to", ">missing", ">extra", ">differs", ">unproven", "ids")
	renderFirst(out, t, rows)
}

func sampleIDs(ids []string) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, id := range ids[:min(len(ids), most)] {
		shown = append(shown, visible.Short(id, 40))
	}
	if len(ids) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, " ")
}

func files(out io.Writer, r *audit.Report) {
	var rows []table.Row
	for _, f := range r.Files {
		if f.Status != audit.Match {
			rows = append(rows, table.Row{visible.Short(f.Path, 80), colour(f.Status), visible.Short(f.Detail, 100)})
		}
	}
	fmt.Fprintf(out, "\n%s checked, %d differ\n", english.Plural(len(r.Files), "published file", ""), len(rows))
	if len(rows) > 0 {
		t := Table(out, "file", "status", "why")
		renderFirst(out, t, rows)
	}
}

func crossChecks(out io.Writer, r *audit.Report) {
	var buckets, agree int64
	for _, w := range r.CrossChecks {
		buckets += w.Buckets
		agree += w.Agree
	}
	if buckets == 0 {
		return
	}
	fmt.Fprintf(out, "Cross-check: the statistics and the stored events agree in %s of %s buckets", humanize.Comma(agree), humanize.Comma(buckets))
	if agree < buckets {
		fmt.Fprint(out, "\n  (events that came after their bucket was closed are in one and not in the other; this does not decide the verdict)")
	}
	fmt.Fprintln(out)
}
