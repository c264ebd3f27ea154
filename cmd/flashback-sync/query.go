package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

func (a *app) queryCommand() *cobra.Command {
	request := query.Request{Limits: query.DefaultLimits()}
	var file, out string
	var params []string
	command := &cobra.Command{
		Use:   "query [SQL | -]",
		Short: "Query the published DuckDB file",
		Long: `Runs SQL on the published flashback.duckdb and prints the results. It only reads:
SELECT, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE are admitted, and no file but the
published one can be read. Several statements run in order.

Values are printed as DuckDB prints them. Control characters, which a terminal
could take for commands, are spelled out in tables and in CSV (\x1b), and a text
in CSV that a spreadsheet could take for a formula gets a leading '. In JSON
numbers, booleans and nested values are what they are, all others are texts;
each statement gets an array. Parquet and Arrow (an IPC file, as Feather) have
the types themselves, and one result. A workbook for Excel has a sheet for each
statement, with numbers and dates as such, times by the clock of --tz, and numbers
of more than 15 digits as texts, since Excel would round them; the sheet Coverage
says which days are complete, the sheet Sources where the data are from.

The SQL is the argument, or comes from standard input with -, or from a file with
--file. With --out the results go into a file, which is complete or not there; its
ending names the format: .csv, .json, .jsonl, .parquet, .arrow, .xlsx or .txt.

--param name=value gives the parameter $name of the SQL a value: a text, which DuckDB
casts where something else is needed. It never becomes a part of the SQL.

The tables and columns are described by 'flashback-sync schema'.`,
		Example: `  flashback-sync query "SELECT policy_name, count(*) AS n FROM violations GROUP BY ALL ORDER BY n DESC"
  flashback-sync query --tz Europe/Berlin "SELECT timestamp, message FROM alerts ORDER BY ALL DESC LIMIT 10"
  flashback-sync query --param policy=pol-1 'SELECT * FROM events WHERE policy_id = $policy'
  flashback-sync query --file monthly.sql --out monthly.parquet`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (file != "") {
				return errors.New("query takes one argument, the SQL, in quotes; or - for standard input, or --file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.prepare(cmd, &request, out)
			if err != nil {
				return err
			}
			if request.Params, err = parameters(params); err != nil {
				return exit.Usage(err)
			}
			if request.SQL, err = statements(cmd.InOrStdin(), args, file); err != nil {
				return exit.Usage(err)
			}
			return a.writeResult(cmd.Context(), request, out)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&request.Format, "format", "f", "table", "table, csv, json, jsonl, parquet, arrow or xlsx")
	flags.StringVar(&file, "file", "", "read the SQL from this `file`, - for standard input")
	flags.StringVarP(&out, "out", "o", "", "write the results to this `file`")
	flags.BoolVar(&request.Mark, "bom", false, bomUsage)
	flags.StringArrayVar(&params, "param", nil, "`name=value` of a parameter $name of the SQL (may be repeated)")
	flags.StringVar(&request.Zone, "tz", "UTC", "time `zone` of the session")
	limitFlags(flags, &request.Limits)
	return command
}

const bomUsage = "begin CSV with a byte order mark, by which Excel knows UTF-8"

func limitFlags(flags *pflag.FlagSet, limits *query.Limits) {
	flags.DurationVar(&limits.Time, "timeout", limits.Time, "stop after this time, 0 for never")
	flags.StringVar(&limits.Memory, "memory-limit", limits.Memory, "most memory that DuckDB may use")
	flags.StringVar(&limits.Spill, "spill-limit", limits.Spill, "most disk space for what does not fit into memory")
}

// parameters are those that --param gave.
func parameters(given []string) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range given {
		name, value, found := strings.Cut(text, "=")
		if _, twice := all[name]; !found || name == "" || twice {
			return nil, fmt.Errorf("--param %q is to be like name=value, each name once", text)
		}
		all[name] = value
	}
	return all, nil
}

// prepare completes a request by its format, and by the published file that it reads.
func (a *app) prepare(cmd *cobra.Command, request *query.Request, out string) (err error) {
	if out != "" && !cmd.Flags().Changed("format") {
		if request.Format, err = query.FormatOf(out); err != nil {
			return exit.Usage(err)
		}
	}
	if err := oneOf("--format", request.Format, query.Formats()); err != nil {
		return err
	}
	if request.Mark && request.Format != "csv" {
		return exit.Usage(errors.New("--bom is for CSV"))
	}
	if out == "" && query.Binary(request.Format) && isTerminal(a.stdout) {
		return exit.Usage(fmt.Errorf("%s is not for a terminal, add --out FILE", request.Format))
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	request.Database, err = a.published(c.DataDir)
	return err
}

func (a *app) writeResult(ctx context.Context, request query.Request, out string) error {
	if out != "" {
		return query.ToFile(ctx, request, out, filepath.Dir(request.Database))
	}
	return query.Run(ctx, request, query.Output{Writer: a.stdout})
}

// statements are the SQL from where it was said to be.
func statements(stdin io.Reader, args []string, file string) (string, error) {
	if len(args) == 1 && args[0] != "-" {
		return args[0], nil
	}
	read := func() ([]byte, error) { return os.ReadFile(file) }
	if file == "" || file == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	content, err := read()
	return string(content), err
}

// published is the path of the analysts' file. It warns of the log of a program that
// opened the file for writing: DuckDB applies it to what it reads.
func (a *app) published(dataDir string) (string, error) {
	path := filepath.Join(dataDir, snapshot.Name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", exit.WithHint(&duckdb.StorageError{Doing: "open " + path, Err: fs.ErrNotExist}, "it is written by 'flashback-sync sync', unless publish.duckdb is off")
	}
	for _, name := range []string{snapshot.Name, snapshot.LogName} { // DuckDB would wait for the other end of a pipe
		if err := durable.CheckPlain(filepath.Join(dataDir, name)); err != nil {
			return "", &duckdb.StorageError{Doing: "open the published file", Err: err}
		}
	}
	if _, err := os.Lstat(filepath.Join(dataDir, snapshot.LogName)); err == nil {
		fmt.Fprintln(a.stderr, "warning: "+snapshot.LogName+" is there: the result may contain what another program wrote; 'flashback-sync sync' removes it")
	}
	return path, nil
}
