package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/pipeline"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// streamStatus is what status knows of a stream.
type streamStatus struct {
	Stream       string     `json:"stream"`
	Rows         int64      `json:"rows"`
	Newest       *time.Time `json:"newest_row"`
	CoveredFrom  *time.Time `json:"covered_from"`
	CoveredTo    *time.Time `json:"covered_to"`
	Gaps         int        `json:"gaps"` // holes between covered intervals of one filter set
	Lost         int        `json:"lost"` // intervals that the source can no longer give
	Rejected     int64      `json:"rejected"`
	Lateness     *lateness  `json:"lateness"` // null if no row was late, or nothing is known yet
	LastComplete bool       `json:"last_run_complete"`
}

// statusOutput is what `status --json` prints.
type statusOutput struct {
	DataDir string            `json:"data_dir"`
	Streams []*streamStatus   `json:"streams"`
	LastRun *pipeline.Summary `json:"last_run"`
	Runs    []runLine         `json:"runs"`

	Problems []status.Problem `json:"problems"` // the gravest first
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
			known, err := readAll(cmd.Context(), c)
			if err != nil {
				return err
			}
			s, err := readStatus(cmd.Context(), c.DataDir, known)
			if err != nil {
				if !asJSON {
					a.printProblems(known.Problems())
				}
				return err
			}
			if asJSON {
				return json.NewEncoder(a.stdout).Encode(s)
			}
			a.printStatus(s, lookbacks(c))
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// readStatus looks at what is published and at the note of the last run, beside
// what is known already; it opens nothing that a sync needs.
func readStatus(ctx context.Context, dataDir string, known *status.Status) (s *statusOutput, err error) {
	db, err := openPublished(dataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s = &statusOutput{DataDir: dataDir, Problems: known.Judged().Problems}
	if s.LastRun, err = readLastRun(dataDir); err != nil {
		return nil, err
	}
	for _, stream := range []struct{ name, time string }{
		{pipeline.Alerts, "timestamp"},
		{pipeline.Violations, "timestamp"},
		{pipeline.PolicyStats, "bucket_start"},
	} {
		line, err := readStream(ctx, db, stream.name, stream.time)
		if err != nil {
			return nil, err
		}
		if line.Lateness, err = readLateness(ctx, db, stream.name); err != nil {
			return nil, err
		}
		if held := known.Stream(stream.name); held != nil {
			line.Gaps = len(held.Gaps())
		}
		s.Streams = append(s.Streams, line.renew(s.LastRun))
	}
	s.Runs, err = readRuns(ctx, db)
	return s, err
}

func readLastRun(dataDir string) (*pipeline.Summary, error) {
	content, err := os.ReadFile(filepath.Join(dataDir, pipeline.LastRun))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no run is no error
	}
	if err != nil {
		return nil, err
	}
	var last pipeline.Summary
	if err := json.Unmarshal(content, &last); err != nil {
		return nil, fmt.Errorf("%s: %w", pipeline.LastRun, err)
	}
	return &last, nil
}

// readStream reads a stream's figures. The names are the program's own.
func readStream(ctx context.Context, db *sql.DB, stream, timeColumn string) (*streamStatus, error) {
	s := &streamStatus{Stream: stream}
	var newest, from, to sql.NullTime
	err := db.QueryRowContext(ctx, fmt.Sprintf(`SELECT
			(SELECT count(*) FROM %[1]s), (SELECT max("%[2]s") FROM %[1]s),
			min(from_ts) FILTER (status = 'covered'), max(to_ts) FILTER (status = 'covered'),
			count(*) FILTER (status = 'lost'),
			(SELECT count(*) FROM rejected_records WHERE stream = '%[1]s'),
			coalesce((SELECT complete AND error IS NULL FROM sync_runs WHERE stream = '%[1]s' ORDER BY started_at DESC LIMIT 1), false)
		FROM sync_coverage WHERE stream = '%[1]s'`, stream, timeColumn)).
		Scan(&s.Rows, &newest, &from, &to, &s.Lost, &s.Rejected, &s.LastComplete)
	s.Newest, s.CoveredFrom, s.CoveredTo = pointer(newest), pointer(from), pointer(to)
	return s, err
}

func pointer(t sql.NullTime) *time.Time {
	if !t.Valid {
		return nil
	}
	utc := t.Time.UTC()
	return &utc
}

// renew takes what the last run proved into account: a run that found nothing
// new did not rewrite the published file.
func (s *streamStatus) renew(last *pipeline.Summary) *streamStatus {
	if last == nil || last.Streams[s.Stream] == nil {
		return s
	}
	result := last.Streams[s.Stream]
	s.LastComplete = result.Complete && result.Error == nil
	if s.LastComplete && result.To != nil && s.CoveredTo != nil && result.To.After(*s.CoveredTo) {
		s.CoveredTo = result.To
	}
	return s
}

func readRuns(ctx context.Context, db *sql.DB) ([]runLine, error) {
	rows, err := db.QueryContext(ctx, `SELECT run_id, stream, status, started_at, coalesce(rows_inserted, 0), coalesce(rows_updated, 0), coalesce(requests, 0), error
		FROM sync_runs ORDER BY started_at DESC, run_id DESC, stream LIMIT 12`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var lines []runLine
	for rows.Next() {
		var l runLine
		if err := rows.Scan(&l.RunID, &l.Stream, &l.Status, &l.Started, &l.Inserted, &l.Updated, &l.Requests, &l.Error); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

func (a *app) printStatus(s *statusOutput, lookbacks map[string]time.Duration) {
	a.printProblems(s.Problems)
	t := newTable(a.stdout, "rows", "age", "gaps", "lost", "rejected")
	t.AppendHeader(table.Row{"stream", "rows", "newest row", "covered from", "covered to", "age", "gaps", "lost", "rejected"})
	for _, stream := range s.Streams {
		t.AppendRow(table.Row{
			stream.Stream, humanize.Comma(stream.Rows), stamp(stream.Newest), stamp(stream.CoveredFrom), stamp(stream.CoveredTo),
			age(stream.CoveredTo), warnAbove(int64(stream.Gaps)), warnAbove(int64(stream.Lost)), warnAbove(stream.Rejected),
		})
	}
	t.Render()
	if s.LastRun != nil {
		fmt.Fprintf(a.stdout, "\nLast run: %s, %s, %s\n", s.LastRun.Status, humanize.Time(s.LastRun.FinishedAt), s.LastRun.RunID)
		for _, stream := range s.Streams {
			if r := s.LastRun.Streams[stream.Stream]; r != nil && r.Error != nil {
				fmt.Fprintf(a.stdout, "  %s: %s\n", stream.Stream, *r.Error)
			}
		}
	}
	a.printLateness(s, lookbacks)
	fmt.Fprintln(a.stdout, "\nRuns that changed something or are published:")
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
func (a *app) printProblems(problems []status.Problem) {
	if len(problems) == 0 {
		fmt.Fprintf(a.stdout, "%s\n\n", text.FgGreen.Sprint("All is well."))
		return
	}
	colours := map[status.Level]text.Color{status.Bad: text.FgRed, status.Warn: text.FgYellow, status.Note: text.Faint}
	for _, p := range problems {
		fmt.Fprintf(a.stdout, "%s %s: %s\n", colours[p.Level].Sprintf("%-5s", p.Level), p.Subject, clean(p.Text, 500))
		if p.Hint != "" {
			fmt.Fprintf(a.stdout, "      %s\n", clean(p.Hint, 500))
		}
	}
	fmt.Fprintln(a.stdout)
}

func stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func age(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return humanize.RelTime(*t, time.Now(), "", "ahead")
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
