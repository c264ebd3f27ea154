package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/audit/html"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

// standardOutput is the file of --json without one.
const standardOutput = "-"

type verifyFlags struct {
	scopeFlags
	json, html string
	full       bool
	job        string
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	command := &cobra.Command{
		Use:   "verify",
		Short: "Compare what is stored with the source; change nothing",
		Long: `Compares what is stored with the source, and the published files with what is stored.
It changes nothing, and ends with exit code 9 if anything differs.

It requests one total for each stream and day. Where that differs from what is
stored, the day is cut in halves until the rows themselves can be compared.
Every Parquet file is checked: its SHA-256, rows and time range against the
manifest, its content against the warehouse. So is flashback.duckdb. With --full
every row is read and compared.

'verify --job verify' is for a timer: the run is noted in the journal, and pings and
alarms are sent, as serve has it.`,
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
	flags.StringVar(&f.job, "job", "", "note the run as this `job` of the schedule: verify")
	flags.BoolVar(&f.full, "full", false, "read and compare every row, not only the totals")
	flags.StringVar(&f.json, "json", "", "write the report as JSON to `FILE`, or to stdout if none is given")
	flags.Lookup("json").NoOptDefVal = standardOutput
	flags.StringVar(&f.html, "html", "", "write the report as one self-contained HTML `FILE`")
	return command
}

// jsonFile takes a file that follows --json instead of behind its equals sign.
func (f *verifyFlags) jsonFile(args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case f.json != standardOutput:
		return exit.Usage(fmt.Errorf("unknown argument %q", args[0]))
	}
	f.json = args[0]
	return nil
}

func (a *app) verify(ctx context.Context, f verifyFlags) error {
	if err := cmp.Or(checkJob(f.job, jobVerify), canReceive("--json", f.json), canReceive("--html", f.html)); err != nil {
		return err
	}
	t, err := a.task(ctx, &f.scopeFlags, f.job)
	if err != nil {
		return err
	}
	defer t.source.Close()
	t.options.Full = f.full
	var report *audit.Report
	work := func() (err error) {
		report, err = audit.Verify(ctx, t.options, t.source)
		if err = exit.Verified(report, err); err == nil || errors.Is(err, audit.ErrDifference) {
			t.recorder.Verified(report)
		}
		return err
	}
	if f.job != "" {
		err = t.recorded(ctx, "verify", work)
	} else { // by hand it changes nothing at all
		err = t.watched(work)
	}
	if report == nil {
		return err
	}
	if f.json != standardOutput {
		terminal.Report(a.stdout, report)
	}
	if writeErr := a.writeReport(report, f); writeErr != nil {
		return errors.Join(err, writeErr)
	}
	return err
}

// writeReport writes the files that were asked for.
func (a *app) writeReport(report *audit.Report, f verifyFlags) error {
	content, err := json.Marshal(report)
	if err != nil {
		return err
	}
	switch f.json {
	case "":
	case standardOutput:
		fmt.Fprintln(a.stdout, string(content))
	default:
		err = writeFile("--json", f.json, append(content, '\n'))
	}
	if err != nil || f.html == "" {
		return err
	}
	var page strings.Builder
	if err := html.Write(&page, report); err != nil {
		return err
	}
	return writeFile("--html", f.html, []byte(page.String()))
}
