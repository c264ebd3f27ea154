package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

// lookup reads an environment variable.
type lookup func(string) (string, bool)

// app is one invocation.
type app struct {
	env      lookup
	out      io.Writer
	err      io.Writer
	log      *slog.Logger
	settings *settings
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, env lookup, stdout, stderr io.Writer) int {
	hidden := &redactor{to: stderr}
	a := &app{env: env, out: stdout, err: hidden, settings: &settings{}}
	a.log = slog.New(slog.NewTextHandler(hidden, &slog.HandlerOptions{Level: slog.LevelInfo}))
	// iceberg-go logs to the default logger, often of what we handle ourselves.
	slog.SetDefault(slog.New(slog.NewTextHandler(hidden, &slog.HandlerOptions{Level: slog.LevelError})))
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(hidden)
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		hidden.hide(a.settings.secrets(env))
		return usage(a.settings.load(env))
	}
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(hidden, "flashback-iceberg: %v\n", err)
		if hint := hintFor(err); hint != "" {
			fmt.Fprintf(hidden, "hint: %s\n", hint)
		}
	}
	return exitCode(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "flashback-iceberg",
		Short:         "Bring Iceberg tables up to date from a published lake of flashback-sync",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
		Args:          cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	a.settings.flags(root.PersistentFlags())
	root.AddCommand(a.push(), a.verify(), a.status(), a.maintain(), a.forget(), a.views())
	for _, command := range root.Commands() {
		command.Args = noArguments
	}
	return root
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no arguments, got %q", c.Name(), args))
	}
	return nil
}

// usageError is a mistake in arguments or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

var (
	// errDifference means that verify found one.
	errDifference = errors.New("the tables differ from the lake")
	// errLeft means that forget could not remove everything.
	errLeft = errors.New("something that may have erased rows is left")
)
