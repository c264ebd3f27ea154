package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/duckdb"

	"github.com/flashback-sync/flashback-sync/internal/visible"
)

// streamStatus is what status knows of a stream.
type streamStatus struct {
	Stream       string     `json:"stream"`
	Rows         int64      `json:"rows"`
	Newest       *time.Time `json:"newest_row"`
	CoveredFrom  *time.Time `json:"covered_from"`
	CoveredTo    *time.Time `json:"covered_to"` // by every query of the stream; null if one was never read completely
	Gaps         int        `json:"gaps"`       // holes between covered intervals of one filter set
	Lost         int        `json:"lost"`       // intervals that the source can no longer give
	Rejected     int64      `json:"rejected"`
	Lateness     *lateness  `json:"lateness"` // null if no row was late, or nothing is known yet
	LastComplete bool       `json:"last_run_complete"`

	awaited  bool // runs are to read it
	lookback time.Duration
}

// statusOutput is what `status --json` prints.
type statusOutput struct {
	DataDir string          `json:"data_dir"`
	Streams []*streamStatus `json:"streams"`
	LastRun *journal.Run    `json:"last_run"`
	Runs    []runLine       `json:"runs"`

	Problems []status.Problem `json:"problems"` // the gravest first
	Checked  string           `json:"checked"`  // what was checked, and when
}

type runLine struct {
	RunID    string    `json:"run_id"`
	Stream   string    `json:"stream"`
	Status   string    `json:"status"`
	Started  time.Time `json:"started_at"`
	Inserted int64     `json:"rows_inserted"`
	Updated  int64     `json:"rows_updated"`
	Requests int64     `json:"requests"`
	Error    *string   `json:"error"`
}

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show freshness, coverage, gaps, rows and the last runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			known, err := status.Read(cmd.Context(), statusOptions(c))
			if err != nil {
				return err
			}
			s := statusFrom(known)
			if asJSON {
				err = json.NewEncoder(a.stdout).Encode(s)
			} else {
				a.printStatus(s)
			}
			switch {
			case known.HoldingsError != "":
				return &duckdb.StorageError{Doing: "read what is published", Err: errors.New(known.HoldingsError)}
			case known.Holdings == nil && known.Progress == nil && len(known.Runs) == 0: // data_dir may be the wrong folder, or not mounted
				return &hinted{&duckdb.StorageError{Doing: "read " + c.DataDir, Err: errors.New("no run was ever here")}, "'flashback-sync sync' makes the first one; otherwise correct data_dir, or mount it"}
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// statusFrom arranges what is known for printing. Nothing else is read, so that this
// and the page cannot disagree.
func statusFrom(known *status.Status) *statusOutput {
	s := &statusOutput{
		DataDir: known.DataDir, LastRun: known.LastRun(), Problems: known.WithProblems().Problems, Checked: known.Checked(), Runs: runLines(known.Runs),
	}
	for _, name := range status.StreamNames() {
		s.Streams = append(s.Streams, streamLine(known, name))
	}
	return s
}

func streamLine(known *status.Status, name string) *streamStatus {
	line := &streamStatus{Stream: name, CoveredTo: known.Fresh(name), LastComplete: known.LastComplete(name), awaited: known.Awaited(name)}
	stored := known.Stream(name)
	if stored == nil {
		return line
	}
	line.Rows, line.Newest, line.Rejected, line.Lateness = stored.Rows, stored.Newest, stored.Rejected, latenessOf(stored.Lateness)
	line.lookback = stored.Lookback
	line.Gaps, line.Lost = len(stored.Gaps()), len(stored.Lost())
	for _, lane := range stored.Lanes {
		if len(lane.Covered) > 0 && (line.CoveredFrom == nil || lane.Covered[0].From.Before(*line.CoveredFrom)) {
			line.CoveredFrom = &lane.Covered[0].From
		}
	}
	return line
}

// mostRuns bounds the lines of runs that are shown, one for each stream.
const mostRuns = 12

func runLines(runs []journal.Run) []runLine {
	lines := []runLine{}
	for _, r := range runs {
		for _, name := range slices.Sorted(maps.Keys(r.Streams)) {
			of := r.Streams[name]
			line := runLine{
				RunID: r.RunID, Stream: name, Status: cmp.Or(of.Status, r.Status), Started: r.StartedAt,
				Inserted: of.Inserted, Updated: of.Updated, Requests: of.Requests, Error: of.Error,
			}
			if lines = append(lines, line); len(lines) == mostRuns {
				return lines
			}
		}
	}
	return lines
}

func (a *app) printStatus(s *statusOutput) {
	a.printProblems(s)
	t := newTable(a.stdout, "rows", "age", "gaps", "lost", "rejected")
	t.AppendHeader(table.Row{"stream", "rows", "newest row", "covered from", "covered to", "age", "gaps", "lost", "rejected"})
	for _, stream := range s.Streams {
		t.AppendRow(table.Row{
			stream.Stream, humanize.Comma(stream.Rows), stamp(stream.Newest), stamp(stream.CoveredFrom), stamp(stream.CoveredTo),
			age(stream), warnAbove(int64(stream.Gaps)), warnAbove(int64(stream.Lost)), warnAbove(stream.Rejected),
		})
	}
	t.Render()
	if s.LastRun != nil {
		fmt.Fprintf(a.stdout, "\nLast run: %s, %s, %s\n", s.LastRun.Status, humanize.Time(s.LastRun.FinishedAt), s.LastRun.RunID)
		for _, stream := range s.Streams {
			if failure := s.LastRun.Streams[stream.Stream].Error; failure != nil {
				fmt.Fprintf(a.stdout, "  %s: %s\n", stream.Stream, *failure)
			}
		}
	}
	a.printLateness(s)
	fmt.Fprintln(a.stdout, "\nLast runs:")
	runs := newTable(a.stdout, "new", "changed", "requests")
	runs.AppendHeader(table.Row{"started", "stream", "status", "new", "changed", "requests", "error"})
	for _, r := range s.Runs {
		runs.AppendRow(table.Row{
			stamp(&r.Started), r.Stream, r.Status, humanize.Comma(r.Inserted), humanize.Comma(r.Updated), humanize.Comma(r.Requests), orEmpty(r.Error),
		})
	}
	runs.Render()
}

// printProblems is what the status page shows at its top.
func (a *app) printProblems(s *statusOutput) {
	if len(s.Problems) == 0 {
		fmt.Fprintln(a.stdout, text.FgGreen.Sprint("No problems found."))
	}
	colours := map[status.Level]text.Color{status.Bad: text.FgRed, status.Warn: text.FgYellow, status.Note: text.Faint}
	for _, p := range s.Problems {
		fmt.Fprintf(a.stdout, "%s %s: %s\n", colours[p.Level].Sprintf("%-5s", p.Level), p.Subject, visible.Short(p.Text, 500))
		if p.Hint != "" {
			fmt.Fprintf(a.stdout, "      %s\n", visible.Short(p.Hint, 500))
		}
	}
	fmt.Fprintf(a.stdout, "%s\n\n", s.Checked)
}

func stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func age(s *streamStatus) string {
	switch {
	case s.CoveredTo == nil && s.awaited:
		return "never complete"
	case s.CoveredTo == nil:
		return "–"
	}
	return humanize.RelTime(*s.CoveredTo, time.Now(), "", "ahead")
}

func warnAbove(n int64) string {
	if n > 0 {
		return text.FgYellow.Sprint(humanize.Comma(n))
	}
	return "0"
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
