package terminal

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// Status prints what is known of a data_dir.
func Status(out io.Writer, known *status.Status) {
	s := known.Brief()
	problems(out, s)
	t := Table(out, "stream", ">rows", "newest row", "covered from", "covered to", ">age", ">gaps", ">lost", ">rejected")
	for _, line := range s.Streams {
		t.AppendRow(table.Row{
			line.Stream, humanize.Comma(line.Rows), Stamp(line.Newest), Stamp(line.CoveredFrom), Stamp(line.CoveredTo),
			age(line.CoveredTo, known.Awaited(line.Stream)), warnAbove(int64(line.Gaps)), warnAbove(int64(line.Lost)), warnAbove(line.Rejected),
		})
	}
	t.Render()
	if s.LastRun != nil {
		fmt.Fprintf(out, "\nLast run: %s, %s, %s\n", s.LastRun.Status, humanize.Time(s.LastRun.FinishedAt), s.LastRun.RunID)
		for _, line := range s.Streams {
			if failure := s.LastRun.Streams[line.Stream].Error; failure != nil {
				fmt.Fprintf(out, "  %s: %s\n", line.Stream, *failure)
			}
		}
	}
	Lateness(out, known.Holdings)
	runs(out, s)
}

// problems is what the status page shows at its top.
func problems(out io.Writer, s *status.Brief) {
	if len(s.Problems) == 0 {
		fmt.Fprintln(out, text.FgGreen.Sprint("No problems found."))
	}
	colours := map[status.Level]text.Color{status.Bad: text.FgRed, status.Warn: text.FgYellow, status.Note: text.Faint}
	for _, p := range s.Problems {
		fmt.Fprintf(out, "%s %s: %s\n", colours[p.Level].Sprintf("%-5s", p.Level), p.Subject, visible.Short(p.Text, 500))
		if p.Hint != "" {
			fmt.Fprintf(out, "      %s\n", visible.Short(p.Hint, 500))
		}
	}
	fmt.Fprintf(out, "%s\n\n", s.Checked)
}

func age(coveredTo *time.Time, awaited bool) string {
	switch {
	case coveredTo != nil:
		return humanize.RelTime(*coveredTo, time.Now(), "", "ahead")
	case awaited:
		return "never complete"
	}
	return "–"
}

// Lateness prints how late rows came, and what that says of each stream's lookback.
func Lateness(out io.Writer, known *status.Holdings) {
	if known == nil {
		return
	}
	for _, stream := range known.Streams {
		l := stream.Lateness
		if l == nil {
			continue
		}
		fmt.Fprintf(out, "\n%s: %s\n", stream.Name, l.Words())
		switch {
		case stream.Lookback == 0:
		case l.Nears(stream.Lookback):
			fmt.Fprintln(out, text.FgYellow.Sprintf("  set streams.%s.lookback to %s; it is %s", stream.Name, l.Proposed(), span.Words(stream.Lookback)))
		default:
			fmt.Fprintf(out, "  the lookback of %s is enough; %s would do\n", span.Words(stream.Lookback), l.Proposed())
		}
	}
}

func runs(out io.Writer, s *status.Brief) {
	fmt.Fprintln(out, "\nLast runs:")
	t := Table(out, "started", "stream", "status", ">new", ">changed", ">requests", "error")
	for _, r := range s.Runs {
		t.AppendRow(table.Row{
			Stamp(&r.Started), r.Stream, r.Status, humanize.Comma(r.Inserted), humanize.Comma(r.Updated), humanize.Comma(r.Requests),
			*cmp.Or(r.Error, new(string)),
		})
	}
	t.Render()
}
