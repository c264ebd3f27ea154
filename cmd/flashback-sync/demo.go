package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/demo"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/run"
)

func (a *app) demoCommand() *cobra.Command {
	o := demo.Options{Program: os.Args[0], Command: a.inDemo}
	command := &cobra.Command{
		Use:   "demo",
		Short: "Sync a simulated organisation and query it, all on this machine",
		Long: `Starts a simulator of the API on loopback with 90 days of an organisation's life,
syncs it, has damage found and repaired, lets a day pass in which the API does what
real ones do, syncs again, and asks questions about the result.
It needs no account and no network.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = a.stdout
			err := demo.Run(cmd.Context(), o)
			if errors.Is(err, demo.ErrForeign) {
				return exit.Usage(err)
			}
			return err
		},
	}
	command.Flags().StringVar(&o.Dir, "dir", "demo-data", "`folder` to write to; what an earlier demo left there is replaced")
	command.Flags().Uint64Var(&o.Seed, "seed", 7, "another seed is another organisation")
	return command
}

// inDemo runs a command as if nothing were configured but the demo.
func (a *app) inDemo(ctx context.Context, config string, args ...string) error {
	env := func(name string) (string, bool) {
		if name != demo.TokenKey {
			return "", false
		}
		return demo.Token, true
	}
	inner := &app{env: env, stdout: a.stdout, stderr: a.stderr, configPath: config, tables: true}
	root := inner.command()
	root.SetArgs(append([]string{"--config", config, "--log-level", "warn"}, args...))
	err := root.ExecuteContext(ctx)
	if errors.Is(err, run.ErrIncomplete) {
		return demo.ErrPartial
	}
	return err
}
