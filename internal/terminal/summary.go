package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/streams"
	"github.com/flashback-sync/flashback-sync/load/rebuild"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Summary prints what a run did, a line for each stream.
func Summary(out io.Writer, s *run.Summary) {
	t := Table(out, "stream", "status", ">received", ">new", ">changed", ">same", ">twice", ">rejected", ">requests", ">time")
	for _, name := range s.Names() {
		r := s.Streams[name]
		t.AppendRow(table.Row{
			name, outcome(r), humanize.Comma(r.Received), humanize.Comma(r.Inserted), humanize.Comma(r.Updated),
			humanize.Comma(r.Unchanged), humanize.Comma(r.Duplicate), humanize.Comma(r.Rejected), humanize.Comma(r.Requests),
			r.Took.Round(10 * time.Millisecond),
		})
	}
	t.Render()
}

func outcome(r *run.Result) string {
	switch {
	case !r.Served:
		return text.Faint.Sprint("not served")
	case r.Complete && r.Err == nil:
		return text.FgGreen.Sprint("complete")
	case errors.Is(r.Err, run.ErrIncomplete):
		return text.FgYellow.Sprint("incomplete")
	}
	return text.FgRed.Sprint("failed")
}

// Repaired prints what a repair found, did and left.
func Repaired(out io.Writer, done audit.Repaired) {
	fetched := func(title string) {
		if done.Summary != nil && len(done.Summary.Streams) > 0 {
			fmt.Fprintln(out, "\n"+title)
			Summary(out, done.Summary)
		}
	}
	if done.Rebuilt != nil {
		rebuilt(out, done.Rebuilt)
		if done.Left == nil { // one run, before the verification
			fetched("Fetched:")
		}
		fmt.Fprintln(out, "\nVerified:")
	}
	if done.Found != nil {
		Report(out, done.Found)
	}
	if done.Left != nil {
		fetched("Fetched again:")
		fmt.Fprintln(out, "\nVerified again:")
		Report(out, done.Left)
	}
}

func rebuilt(out io.Writer, r *rebuild.Rebuilt) {
	fmt.Fprintf(out, "Made again from %s:", english.Plural(r.Files, "file", ""))
	for _, table := range schema.Tables() {
		if rows, ok := r.Rows[table.Name]; ok {
			fmt.Fprintf(out, " %s %s", humanize.Comma(rows), table.Name)
		}
	}
	fmt.Fprintln(out)
	if r.Kept != "" {
		fmt.Fprintf(out, "The old file is kept: %s\n", r.Kept)
	}
	if len(r.Lost) > 0 {
		fmt.Fprintf(out, "Not whole in the lake, and fetched again as far as the source has them: %s\n", strings.Join(r.Lost, ", "))
	}
	if !r.Published {
		fmt.Fprintln(out, "flashback.duckdb could not be read: the history of runs and the rejected records are lost; 'sync --from' finds rejects again")
	}
}

// Probes prints a line for each stream that was tried.
func Probes(out io.Writer, probes []streams.Probe) {
	t := Table(out, "stream", "answer", "history from", ">rows", ">requests", "read again in every run")
	for _, p := range probes {
		row := table.Row{p.Stream, p.Answer}
		switch start := p.Start.Format(time.DateOnly); {
		case p.Start.IsZero():
		case !schema.IsSeries(p.Stream):
			row = append(row, start, humanize.Comma(int64(p.Rows)), humanize.Comma(int64(p.Requests)), "the last "+p.Lookback.String())
		case p.Answer == "ok":
			row = append(row, start+" at most", "", "one a series", "buckets that were open")
		default:
			row = append(row, start)
		}
		t.AppendRow(row)
	}
	t.Render()
}
