package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

// lookup reads an environment variable.
type lookup func(string) (string, bool)

// app is one invocation.
type app struct {
	out      io.Writer
	log      *slog.Logger
	settings *settings
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, env lookup, stdout, stderr io.Writer) int {
	hidden := &redactor{to: stderr}
	a := &app{out: stdout, settings: &settings{}}
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
	if err == nil {
		return 0
	}
	code, hint := failure(ctx, err)
	fmt.Fprintf(hidden, "flashback-iceberg: %v\n", err)
	if hint != "" {
		fmt.Fprintf(hidden, "hint: %s\n", hint)
	}
	return code
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
		command.Args = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("%s takes no arguments, got %q", c.Name(), args))
			}
			return nil
		}
	}
	return root
}

// reporting lets a command print what run returns, as JSON or by text, even if it failed.
func reporting[T any](a *app, c *cobra.Command, run func(context.Context) (T, error), text func(io.Writer, T)) *cobra.Command {
	asJSON := c.Flags().Bool("json", false, "print the result as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		result, err := run(c.Context())
		switch {
		case err != nil && reflect.ValueOf(result).IsNil():
			return err
		case *asJSON:
			return errors.Join(err, json.NewEncoder(a.out).Encode(result))
		}
		text(a.out, result)
		return err
	}
	return c
}
