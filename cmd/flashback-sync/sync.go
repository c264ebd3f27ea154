package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/instant"
	"github.com/flashback-sync/flashback-sync/internal/pipeline"
)

type syncFlags struct {
	streams      []string
	from, to     string
	json, dryRun bool
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
	flags.StringSliceVar(&f.streams, "stream", nil, "only this `stream`: alerts, violations or policy_stats (may be repeated)")
	flags.StringVar(&f.from, "from", "", "read again from this `time` on (RFC 3339 or a date, UTC)")
	flags.StringVar(&f.to, "to", "", "read up to this `time` only")
	flags.BoolVar(&f.json, "json", false, "print the run's summary as the last line of stdout")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be read, and write nothing")
	return command
}

func (a *app) sync(ctx context.Context, f syncFlags) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	o := options(c)
	if err := f.apply(&o); err != nil {
		return err
	}
	log := a.logger(c.Log)
	client, err := a.client(c, log, retries)
	if err != nil {
		return err
	}
	defer client.Close()
	if f.dryRun {
		o.Observe = a.printPlan
	}
	summary, err := runner{a, log, client}.sync(ctx, o)
	a.report(summary, f)
	if err != nil {
		return err
	}
	return gravest(ctx, summary)
}

// apply narrows a run to what the flags ask for.
func (f syncFlags) apply(o *pipeline.Options) error {
	o.DryRun = f.dryRun
	var err error
	if o.From, err = flagTime("--from", f.from); err != nil {
		return err
	}
	if o.To, err = flagTime("--to", f.to); err != nil {
		return err
	}
	if !o.From.IsZero() && !o.To.IsZero() && !o.From.Before(o.To) {
		return usage(errors.New("--from must be before --to"))
	}
	if len(f.streams) == 0 {
		return nil
	}
	return f.narrow(o)
}

// printPlan is what a dry run has to say.
func (a *app) printPlan(e pipeline.Event) {
	if e.Kind == pipeline.Planned || e.Kind == pipeline.Warned {
		fmt.Fprintf(a.stdout, "%s: %s\n", e.Stream, e.Message)
	}
}

func (f syncFlags) narrow(o *pipeline.Options) error {
	configured := map[string]bool{pipeline.PolicyStats: o.Stats != nil}
	for _, list := range o.Lists {
		configured[list.Name()] = true
	}
	wanted := map[string]bool{}
	for _, name := range f.streams {
		if err := oneOf("--stream", name, []string{pipeline.Alerts, pipeline.Violations, pipeline.PolicyStats}); err != nil {
			return err
		}
		if !configured[name] {
			return usage(fmt.Errorf("--stream %s: the configuration does not name this stream", name))
		}
		wanted[name] = true
	}
	kept := o.Lists
	o.Lists = nil
	for _, list := range kept {
		if wanted[list.Name()] {
			o.Lists = append(o.Lists, list)
		}
	}
	if !wanted[pipeline.PolicyStats] {
		o.Stats = nil
	}
	return nil
}

func flagTime(flag, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, ok := instant.Parse(value)
	if !ok {
		return time.Time{}, usage(fmt.Errorf("%s %q: not a time, write 2024-01-15 or 2024-01-15T10:30:00Z", flag, value))
	}
	return at.Time(), nil
}

// report ends a run: a table for a person, one line of JSON for a program.
func (a *app) report(summary *pipeline.Summary, f syncFlags) {
	if len(summary.Streams) > 0 && !f.dryRun && isTerminal(a.stdout) {
		a.printSummary(summary)
	}
	if !f.json {
		return
	}
	line, err := json.Marshal(summary)
	if err != nil { // plain values always marshal
		panic(err)
	}
	fmt.Fprintln(a.stdout, string(line))
}
