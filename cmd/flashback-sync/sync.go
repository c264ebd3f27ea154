package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

type syncFlags struct {
	scopeFlags
	json, dryRun  bool
	retryRejected bool
	applyPrivacy  bool
	job           string
}

func (a *app) syncCommand() *cobra.Command {
	var f syncFlags
	command := &cobra.Command{
		Use:   "sync",
		Short: "Copy what is new, once",
		Long: `Copies what is new or due again, in one run, and publishes what changed.

Without --from and --to it reads what the coverage ledger lacks and the lookback.
With --from it reads everything from there again, whether it is covered or not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sync(cmd.Context(), f) },
	}
	flags := command.Flags()
	f.add(flags, "read again from this `time` on (RFC 3339 or a date, UTC)", "read up to this `time` only")
	flags.BoolVar(&f.json, "json", false, "print the run's summary as the last line of stdout")
	flags.BoolVar(&f.retryRejected, "retry-rejected", false, "try again to type the rejected records, as after an upgrade")
	flags.BoolVar(&f.applyPrivacy, "apply-privacy", false, "rewrite what is stored after the privacy policy changed; it cannot be undone")
	flags.StringVar(&f.job, "job", "", "record the run as this `job` of the schedule: "+strings.Join(syncJobs(), ", "))
	a.showAnswersFlag(flags)
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be read, and write nothing")
	return command
}

func (a *app) sync(ctx context.Context, f syncFlags) error {
	if err := checkJob(f.job, syncJobs()...); err != nil {
		return err
	}
	t, err := a.task(ctx, &f.scopeFlags, cmp.Or(f.job, f.scopeFlags.job()))
	if err != nil {
		return err
	}
	defer t.source.Close()
	t.options.DryRun, t.options.RetryRejected, t.options.ApplyPrivacy = f.dryRun, f.retryRejected, f.applyPrivacy
	var summary *run.Summary
	var after error
	work := func() (err error) {
		summary, err = run.Run(ctx, t.options, t.source)
		t.recorder.Synced(summary)
		if err == nil && !f.dryRun {
			after = t.afterPublishing(ctx)
		}
		return cmp.Or(err, exit.Gravest(ctx, summary), after)
	}
	if f.dryRun {
		t.options.Observe = a.printPlan
		err = work()
	} else {
		err = t.recorded(ctx, "sync", work)
	}
	a.report(summary, f)
	return err
}

// printPlan is what a dry run has to say.
func (a *app) printPlan(e run.Event) {
	if e.Kind == run.Planned || e.Kind == run.Warned {
		fmt.Fprintf(a.stdout, "%s: %s\n", e.Stream, e.Message)
	}
}

// report ends a run: a table for a person, one line of JSON for a program. A run that
// was refused has no summary.
func (a *app) report(summary *run.Summary, f syncFlags) {
	if summary == nil {
		return
	}
	if len(summary.Streams) > 0 && !f.dryRun && (a.tables || isTerminal(a.stdout)) {
		terminal.Summary(a.stdout, summary)
	}
	if f.json {
		a.printJSON(summary)
	}
}

// printJSON prints a value as one line. A pipe that nobody reads is no failure of the run.
func (a *app) printJSON(value any) { _ = json.NewEncoder(a.stdout).Encode(value) }
