package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/visible"
)

const defaultConfig = "flashback-sync.yaml"

// app is what all commands share.
type app struct {
	env            func(string) (string, bool)
	stdout, stderr io.Writer

	configPath string
	logLevel   string
	logFormat  string

	tables      bool         // print the table of a run on whatever stdout is
	showAnswers bool         // print how an answer begins that cannot be used
	warned      func(string) // shows a warning among the progress of the run under way; nil without one
}

// execute runs the program and returns its exit code. It is all of the program but
// for the process around it.
func execute(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprint(stderr, "flashback-sync: "+crash.Report(p))
			code = exit.CodeOther
		}
	}()
	a := &app{env: env, stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := exit.Reported(ctx, root.ExecuteContext(ctx))
	if err == nil {
		return exit.CodeOK
	}
	if strings.HasPrefix(err.Error(), "unknown command") { // cobra has no type for it
		err = exit.WithHint(exit.Usage(err), "'flashback-sync --help' lists the commands")
	}
	code = exit.Code(ctx, err)
	fmt.Fprintln(stderr, "flashback-sync: "+visible.Lines(err.Error()))
	if hint := exit.Hint(err); hint != "" {
		fmt.Fprintln(stderr, "  "+hint)
	}
	return code
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "flashback-sync",
		Short: "Copy AI-policy alerts, violations and statistics into DuckDB and Parquet",
		Long: `flashback-sync copies an organisation's AI-policy alerts, violations and policy
statistics out of the Flashback API into a DuckDB file and a Parquet lake.

It loses no row, shows none twice, and never blocks a reader. Begin with
'flashback-sync demo', or with 'flashback-sync init' and 'flashback-sync sync'.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.configPath, "config", "c", "", "configuration `file` (default flashback-sync.yaml, or $FLASHBACK_SYNC_CONFIG)")
	flags.StringVar(&a.logLevel, "log-level", "", "trace, debug, info, warn or error")
	flags.StringVar(&a.logFormat, "log-format", "", "auto, json or console")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.Usage(err) })
	root.AddCommand(
		a.syncCommand(), a.demoCommand(), a.statusCommand(), a.queryCommand(), a.askCommand(), a.exportCommand(), a.verifyCommand(), a.repairCommand(),
		a.forgetCommand(), a.suppressCommand(), a.serveCommand(), a.reportCommand(), a.initCommand(), a.checkCommand(), a.schemaCommand(), a.versionCommand(),
		a.manCommand(),
	)
	root.SetOut(a.stdout) // completion keeps the output of this moment
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			command.Args, command.RunE = cobra.ArbitraryArgs, completionHelp
		}
		if check := command.Args; check != nil {
			command.Args = func(cmd *cobra.Command, args []string) error { return exit.Usage(check(cmd, args)) }
		}
	}
	return root
}

// completionHelp is `completion` without a shell that it knows.
func completionHelp(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return exit.Usage(fmt.Errorf("unknown shell %q, use bash, zsh, fish or powershell", args[0]))
}

// load reads the configuration.
func (a *app) load() (*config.Config, error) {
	path, explicit := a.path()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !explicit {
		if _, named := a.env("FLASHBACK_SYNC_STREAMS"); !named {
			return nil, exit.WithHint(
				exit.Usage(fmt.Errorf("no configuration: %s is not there", path)),
				"write one with 'flashback-sync init', or see what it does with 'flashback-sync demo'",
			)
		}
		path = ""
	}
	loaded, err := config.Load(path, a.env, os.Environ()...)
	if err != nil {
		return nil, exit.Usage(err)
	}
	if err := override(&loaded.Log.Level, "--log-level", a.logLevel, "trace", "debug", "info", "warn", "error"); err != nil {
		return nil, err
	}
	if err := override(&loaded.Log.Format, "--log-format", a.logFormat, "auto", "json", "console"); err != nil {
		return nil, err
	}
	return loaded, nil
}

// override sets a field to the value of a flag, if there is one.
func override(field *string, flag, value string, valid ...string) error {
	if value == "" {
		return nil
	}
	*field = value
	return oneOf(flag, value, valid)
}

// path is the configuration file, and whether a person named it.
func (a *app) path() (path string, explicit bool) {
	if a.configPath != "" {
		return a.configPath, true
	}
	if path, set := a.env("FLASHBACK_SYNC_CONFIG"); set && path != "" {
		return path, true
	}
	return defaultConfig, false
}

// logger writes to stderr: for a person on a terminal, as JSON lines elsewhere.
func (a *app) logger(c config.Log) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	out := a.stderr
	if a.forPeople(c) {
		out = zerolog.ConsoleWriter{Out: a.stderr, TimeFormat: "15:04:05", NoColor: !isTerminal(a.stderr)}
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

// forPeople reports whether logs are written for a person instead of as JSON lines.
func (a *app) forPeople(c config.Log) bool {
	return c.Format == "console" || c.Format == "auto" && isTerminal(a.stderr)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func oneOf(what, value string, valid []string) error {
	if slices.Contains(valid, value) {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s: unknown value %q, use one of %v", what, value, valid))
}
