package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/audit"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
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
	t, err := a.task(ctx, &f.scopeFlags, "")
	if err != nil {
		return err
	}
	defer t.source.Close()
	work := audit.Repair
	if f.rebuild {
		work = audit.Rebuild
	}
	var done audit.Repaired
	var after error
	err = t.recorded(ctx, "repair", func() (err error) {
		done, err = work(ctx, t.options, t.source)
		t.recorder.Repaired(done)
		if err == nil && done.Summary != nil {
			after = t.afterPublishing(ctx)
		}
		return cmp.Or(err, exit.Repaired(ctx, done), after)
	})
	switch {
	case t.recorder == nil: // it was refused
	case f.json:
		a.printJSON(done)
	default:
		terminal.Repaired(a.stdout, done)
	}
	return err
}
