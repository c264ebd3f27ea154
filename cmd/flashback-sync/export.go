package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/query"
)

func (a *app) exportCommand() *cobra.Command {
	request := query.Request{Limits: query.DefaultLimits()}
	request.Limits.Time = 0
	var out, since string
	command := &cobra.Command{
		Use:   "export {TABLE | VIEW}... --out FILE",
		Short: "Write tables and views of the published DuckDB file to a file",
		Long: `Writes a table, a view of bi (with or without 'bi.'), or the result of --sql to a file,
which is complete or not there. The ending of its name is the format: .parquet, .csv,
.jsonl, .json, .arrow or .xlsx, which takes several tables, a sheet for each. How values
are written is explained by 'flashback-sync query --help'.

--since limits the rows to those from a UTC day on. A table whose rows have no day, such
as policies, is written whole; a line on stderr says so.

It prints the number of rows, the size, and whether every day of the period is proven
complete for the streams that the tables are read from. Days at its end that were not
read to their end yet are open. Without --since, and with --sql, the period is all days.`,
		Example: `  flashback-sync export events --since 2026-10-01 --out events.parquet
  flashback-sync export events_daily calendar --out week.xlsx
  flashback-sync export --sql "SELECT day, sum(events) FROM events_daily GROUP BY day" --out days.csv`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case out == "":
				return errors.New("export takes --out FILE")
			case (len(args) == 0) == (request.SQL == ""):
				return errors.New("export takes names of tables and views, or --sql")
			case request.SQL != "" && since != "":
				return errors.New("--since is for tables and views; with --sql, put a condition into the SQL")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if since != "" {
				if request.Period.First, err = time.Parse(time.DateOnly, since); err != nil {
					return exit.Usage(errors.New("--since is to be a day, like 2026-10-01"))
				}
			}
			if err := a.prepare(cmd, &request, out); err != nil {
				return err
			}
			if request.Format == "table" {
				return exit.Usage(errors.New("a table is for people: use parquet, csv, json, jsonl, arrow or xlsx"))
			}
			return a.export(cmd.Context(), request, args, out)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&out, "out", "o", "", "write to this `file`")
	flags.StringVarP(&request.Format, "format", "f", "", "parquet, csv, json, jsonl, arrow or xlsx, whatever the file's ending")
	flags.StringVar(&request.SQL, "sql", "", "write the result of this `SQL`")
	flags.StringVar(&since, "since", "", "only rows from this UTC `day` on: 2026-10-01")
	flags.BoolVar(&request.Mark, "bom", false, bomUsage)
	limitFlags(flags, &request.Limits)
	return command
}

func (a *app) export(ctx context.Context, request query.Request, tables []string, out string) error {
	if isTerminal(a.stderr) {
		request.Progress = func(rows, bytes int64) {
			fmt.Fprintf(a.stderr, "\r\x1b[K%s rows, %s", humanize.Comma(rows), humanize.Bytes(uint64(bytes)))
		}
	}
	done, err := query.Export(ctx, request, tables, out, filepath.Dir(request.Database))
	if request.Progress != nil {
		fmt.Fprint(a.stderr, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	for _, table := range done.Whole {
		fmt.Fprintf(a.stderr, "%s: its rows have no day, so --since does not apply: all of it was written\n", table)
	}
	_, err = fmt.Fprintf(a.stdout, "%s rows, %s, %s; %s\n", humanize.Comma(done.Rows), humanize.Bytes(uint64(done.Bytes)), out, done.Completeness)
	return err
}
