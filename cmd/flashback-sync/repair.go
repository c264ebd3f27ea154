package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/schema"
)

type repairFlags struct {
	scopeFlags
	json, rebuild bool
}

func (a *app) repairCommand() *cobra.Command {
	var f repairFlags
	command := &cobra.Command{
		Use:   "repair",
		Short: "Fetch again what differs from the source, and nothing else",
		Long: `Verifies, fetches again just the intervals that differ, publishes again the files
that differ, and verifies what it repaired. Rows that the source has deleted are kept.

With --rebuild it makes the warehouse again from the lake and its manifest, after
damage or loss of the private file; the old file is kept beside the new one. What
the lake does not have is fetched from the source.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.repair(cmd.Context(), f) },
	}
	flags := command.Flags()
	f.add(flags, "repair from this `time` on (RFC 3339 or a date, UTC)", "repair up to this `time`")
	flags.BoolVar(&f.json, "json", false, "print what was found, done and left as the last line of stdout")
	flags.BoolVar(&f.rebuild, "rebuild", false, "make the warehouse again from the lake and its manifest first")
	return command
}

func (a *app) repair(ctx context.Context, f repairFlags) error {
	t, err := a.task(&f.scopeFlags, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	if err := refuseRoot(t.options.DataDir); err != nil {
		return err
	}
	work := audit.Repair
	if f.rebuild {
		work = audit.Rebuild
	}
	record := t.record(t.options, "repair", "")
	stop := t.watch()
	done, err := work(ctx, t.options, t.source)
	stop()
	if err == nil {
		err = unrepaired(ctx, done)
	}
	record.repaired(done)
	record.end(ctx, err)
	a.reportRepair(done, f)
	return err
}

// unrepaired is the error of a repair that came to its end.
func unrepaired(ctx context.Context, done audit.Repaired) error {
	if done.Summary != nil {
		if err := gravest(ctx, done.Summary); err != nil && !errors.Is(err, run.ErrIncomplete) {
			return err
		}
	}
	return stillDiffers(done)
}

func (a *app) reportRepair(done audit.Repaired, f repairFlags) {
	if f.json {
		a.printJSON(done)
		return
	}
	fetched := func(title string) {
		if done.Summary != nil && len(done.Summary.Streams) > 0 {
			fmt.Fprintln(a.stdout, "\n"+title)
			a.printSummary(done.Summary)
		}
	}
	if done.Rebuilt != nil {
		a.printRebuilt(done.Rebuilt)
		if done.Left == nil { // one run, before the verification
			fetched("Fetched:")
		}
		fmt.Fprintln(a.stdout, "\nVerified:")
	}
	if done.Found != nil {
		a.printReport(done.Found)
	}
	if done.Left != nil {
		fetched("Fetched again:")
		fmt.Fprintln(a.stdout, "\nVerified again:")
		a.printReport(done.Left)
	}
}

func (a *app) printRebuilt(r *load.Rebuilt) {
	fmt.Fprintf(a.stdout, "Made again from %s:", english.Plural(r.Files, "file", ""))
	for _, table := range schema.Tables() {
		if rows, ok := r.Rows[table.Name]; ok {
			fmt.Fprintf(a.stdout, " %s %s", humanize.Comma(rows), table.Name)
		}
	}
	fmt.Fprintln(a.stdout)
	if r.Kept != "" {
		fmt.Fprintf(a.stdout, "The old file is kept: %s\n", r.Kept)
	}
	if len(r.Lost) > 0 {
		fmt.Fprintf(a.stdout, "Not whole in the lake, and fetched again as far as the source has them: %s\n", strings.Join(r.Lost, ", "))
	}
	if !r.Published {
		fmt.Fprintln(a.stdout, "flashback.duckdb could not be read: the history of runs and the rejected records are lost; 'sync --from' finds rejects again")
	}
}

// stillDiffers is the error of a repair that could not repair everything. Rows that
// the source has deleted are none: they are kept.
func stillDiffers(done audit.Repaired) error {
	left := done.Left
	if left == nil {
		left = done.Found
	}
	if left == nil || left.Status == audit.Match || left.OnlyExtra() {
		return nil
	}
	err := fmt.Errorf("%w after the repair: %s", audit.ErrDifference, inWords(left))
	if left.NeverSynced() {
		return &hinted{err, readsFirst}
	}
	return err
}
