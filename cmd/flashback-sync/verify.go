package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/internal/pipeline"
	"github.com/flashback-sync/flashback-sync/internal/verify"
)

// standardOutput stands for --json without a file.
const standardOutput = "-"

type verifyFlags struct {
	scopeFlags
	json, html string
	full       bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	command := &cobra.Command{
		Use:   "verify",
		Short: "Prove what is held against the source; change nothing",
		Long: `Compares what is held with the source, and the published files with what is held.
It changes nothing, and ends with exit code 9 if anything differs.

The source is asked for one total for each stream and day; where that differs from
what is held, the day is cut in halves until the rows themselves can be compared.
Every Parquet file is checked: its SHA-256, rows and time range against the
manifest, its content against the warehouse. So is flashback.duckdb. With --full
every row is read and compared.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.jsonFile(args); err != nil {
				return err
			}
			return a.verify(cmd.Context(), f)
		},
	}
	flags := command.Flags()
	f.add(flags, "verify from this `time` on (RFC 3339 or a date, UTC)", "verify up to this `time`")
	flags.BoolVar(&f.full, "full", false, "read and compare every row, not only the totals")
	flags.StringVar(&f.json, "json", "", "write the report as JSON to `FILE`, or to stdout if none is given")
	flags.Lookup("json").NoOptDefVal = standardOutput
	flags.StringVar(&f.html, "html", "", "write the report as one self-contained HTML `FILE`")
	return command
}

// jsonFile takes a file that stands beside --json instead of behind its equals sign.
func (f *verifyFlags) jsonFile(args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case f.json != standardOutput:
		return usage(fmt.Errorf("unknown argument %q", args[0]))
	}
	f.json = args[0]
	return nil
}

func (a *app) verify(ctx context.Context, f verifyFlags) error {
	t, err := a.task(&f.scopeFlags)
	if err != nil {
		return err
	}
	defer t.client.Close()
	t.options.Full = f.full
	stop := t.watch()
	report, err := pipeline.Verify(ctx, t.options, t.client)
	stop()
	if report == nil {
		return err
	}
	if f.json != standardOutput {
		a.printReport(report)
	}
	if writeErr := a.writeReport(report, f); writeErr != nil {
		return errors.Join(err, writeErr)
	}
	if err != nil {
		return err
	}
	return difference(report)
}

// writeReport writes the files that were asked for.
func (a *app) writeReport(report *verify.Report, f verifyFlags) error {
	content, err := json.Marshal(report)
	if err != nil {
		return err
	}
	switch f.json {
	case "":
	case standardOutput:
		fmt.Fprintln(a.stdout, string(content))
	default:
		err = durable.Write(f.json, append(content, '\n'))
	}
	if err != nil || f.html == "" {
		return err
	}
	var page strings.Builder
	if err := report.WriteHTML(&page); err != nil {
		return err
	}
	return durable.Write(f.html, []byte(page.String()))
}

// difference is the error of a report that found one.
func difference(r *verify.Report) error {
	if r.Status == verify.Match {
		return nil
	}
	err := fmt.Errorf("%w: %s", pipeline.ErrDifference, inWords(r))
	if r.OnlyExtra() {
		return &hinted{err, "rows that the source has deleted are kept; there is nothing to repair"}
	}
	return &hinted{err, "'flashback-sync repair' fetches again what differs"}
}

// inWords says what differs, in one line.
func inWords(r *verify.Report) string {
	var parts []string
	count := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(n), what))
		}
	}
	for _, s := range r.Streams {
		count(s.Missing, "missing in "+s.Stream)
		count(s.Differs, "changed in "+s.Stream)
		count(s.Unproven, "unproven in "+s.Stream)
		count(s.Extra, "gone at the source in "+s.Stream)
		if s.Status == verify.NotSynced || s.Status == verify.NotVerified {
			parts = append(parts, s.Stream+" "+string(s.Status))
		}
	}
	files := 0
	for _, f := range r.Files {
		if f.Status != verify.Match {
			files++
		}
	}
	if files > 0 {
		parts = append(parts, english.Plural(files, "file", ""))
	}
	return strings.Join(parts, ", ")
}

// mostLines bounds how many findings a terminal is shown.
const mostLines = 20

func (a *app) printReport(r *verify.Report) {
	t := newTable(a.stdout, "source", "held", "missing", "extra", "differs", "unproven")
	t.AppendHeader(table.Row{"stream", "status", "compared from", "to", "source", "held", "missing", "extra", "differs", "unproven"})
	for _, s := range joined(r.Streams) {
		t.AppendRow(table.Row{
			label(s), statusColour(s.Status), stamp(&s.From), stamp(&s.To), humanize.Comma(s.Source), humanize.Comma(s.Held),
			warnAbove(s.Missing), warnAbove(s.Extra), warnAbove(s.Differs), warnAbove(s.Unproven),
		})
	}
	t.Render()
	printFindings(a.stdout, r)
	printFiles(a.stdout, r)
	printWitness(a.stdout, r)
	fmt.Fprintf(a.stdout, "\n%s; %s in %s.\n", verdict(r), english.Plural(int(r.Requests), "request", ""),
		r.FinishedAt.Sub(r.StartedAt).Round(10e6))
}

func verdict(r *verify.Report) string {
	if r.Status == verify.Match {
		return text.FgGreen.Sprint("Everything that the source counts is held, and every published file is what it should be")
	}
	return text.FgYellow.Sprint("Differs: " + inWords(r))
}

// joined puts the series of statistics that match into one line.
func joined(streams []*verify.Stream) (lines []*verify.Stream) {
	var all *verify.Stream
	series := 0
	for _, s := range streams {
		if s.Stream != pipeline.PolicyStats || s.Status != verify.Match {
			lines = append(lines, s)
			continue
		}
		series++
		if all == nil {
			all = &verify.Stream{Stream: s.Stream, Status: s.Status, From: s.From, To: s.To}
		}
		all.Source += s.Source
		all.Held += s.Held
		if s.From.Before(all.From) {
			all.From = s.From
		}
	}
	if all != nil {
		all.Filter = english.Plural(series, "series", "series")
		lines = append(lines, all)
	}
	return lines
}

// label names a stream, and the series or filter set if there is one.
func label(s *verify.Stream) string {
	if s.Filter == "{}" {
		return s.Stream
	}
	return s.Stream + " " + clean(s.Filter, 60)
}

func statusColour(s verify.Status) string {
	switch s {
	case verify.Match:
		return text.FgGreen.Sprint(s)
	case verify.NotServed:
		return text.Faint.Sprint(s)
	}
	return text.FgYellow.Sprint(s)
}

func printFindings(out io.Writer, r *verify.Report) {
	t := newTable(out, "missing", "extra", "differs", "unproven")
	t.AppendHeader(table.Row{"difference in", "from", "to", "missing", "extra", "differs", "unproven", "ids"})
	lines := 0
	for _, s := range r.Streams {
		for _, f := range s.Findings {
			if lines++; lines <= mostLines {
				t.AppendRow(table.Row{
					s.Stream, f.From.UTC().Format("2006-01-02 15:04:05.000Z"), f.To.UTC().Format("2006-01-02 15:04:05.000Z"),
					f.Missing, f.Extra, f.Differs, f.Unproven, sampleIDs(f.Samples),
				})
			}
		}
	}
	if lines == 0 {
		return
	}
	fmt.Fprintln(out)
	t.Render()
	if more := lines - mostLines; more > 0 {
		fmt.Fprintf(out, "and %d more; --json lists them all\n", more)
	}
}

func sampleIDs(ids []string) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, id := range ids[:min(len(ids), most)] {
		shown = append(shown, clean(id, 40))
	}
	if len(ids) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, " ")
}

func printFiles(out io.Writer, r *verify.Report) {
	wrong, rows := 0, int64(0)
	t := newTable(out)
	t.AppendHeader(table.Row{"file", "status", "why"})
	for _, f := range r.Files {
		rows += f.Rows
		if f.Status == verify.Match {
			continue
		}
		if wrong++; wrong <= mostLines {
			t.AppendRow(table.Row{clean(f.Path, 80), statusColour(f.Status), clean(f.Detail, 100)})
		}
	}
	fmt.Fprintf(out, "\n%s checked, %d differ\n", english.Plural(len(r.Files), "published file", ""), wrong)
	if wrong == 0 {
		return
	}
	t.Render()
	if more := wrong - mostLines; more > 0 {
		fmt.Fprintf(out, "and %d more; --json lists them all\n", more)
	}
}

func printWitness(out io.Writer, r *verify.Report) {
	var buckets, agree int64
	for _, w := range r.Witness {
		buckets += w.Buckets
		agree += w.Agree
	}
	if buckets == 0 {
		return
	}
	fmt.Fprintf(out, "Second witness: the statistics and the events held agree in %s of %s buckets", humanize.Comma(agree), humanize.Comma(buckets))
	if agree < buckets {
		fmt.Fprint(out, "\n  (events that came after their bucket was closed are in one and not in the other; this does not decide the verdict)")
	}
	fmt.Fprintln(out)
}
