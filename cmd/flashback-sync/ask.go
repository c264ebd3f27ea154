package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/cookbook"
	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/query"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
)

func (a *app) askCommand() *cobra.Command {
	request := query.Request{Limits: query.DefaultLimits()}
	var out, month, from, to string
	command := &cobra.Command{
		Use:   "ask [QUESTION]",
		Short: "Answer a question of the cookbook, and say whether its period is complete",
		Long: `Without an argument it lists the questions, which are explained in docs/cookbook.md.
With the name of one it answers it for a period: --month, or --from and --to, or the
last 30 complete days. Days are UTC days. Whether all days of the period are proven
complete is printed below the table, and in other formats on stderr; a workbook has a
sheet about it.`,
		Example: `  flashback-sync ask
  flashback-sync ask repeat-offenders --month 2026-10
  flashback-sync ask weekly --from 2026-08-01 --to 2026-10-31 --out weekly.xlsx`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				a.listQuestions()
				return nil
			}
			question, err := cookbook.Named(args[0])
			if err != nil {
				return exit.Usage(err)
			}
			if err := a.prepare(cmd, &request, out); err != nil {
				return err
			}
			var newest time.Time // where a period ends that no flag ends
			if month == "" && to == "" {
				if newest, err = query.NewestDay(cmd.Context(), request); err != nil {
					return err
				}
			}
			period, err := cookbook.ParsePeriod(month, from, to, newest)
			if err != nil {
				return exit.Usage(err)
			}
			request.SQL, request.Period = question.In(period), period
			return a.answer(cmd.Context(), request, out)
		},
	}
	flags := command.Flags()
	flags.StringVarP(&request.Format, "format", "f", "table", "table, csv, json, jsonl, parquet, arrow or xlsx")
	flags.StringVarP(&out, "out", "o", "", "write the answer to this `file`")
	flags.StringVar(&month, "month", "", "the `month` to answer for: 2026-10")
	flags.StringVar(&from, "from", "", "first `day` of the period: 2026-10-01")
	flags.StringVar(&to, "to", "", "last `day` of the period")
	return command
}

func (a *app) listQuestions() {
	t := terminal.Table(a.stdout, "question", "for", "")
	for _, q := range cookbook.Questions() {
		t.AppendRow(table.Row{q.Name, q.For, q.Text})
	}
	t.Render()
}

// answer writes the answer, and below a table, or on stderr, how complete its period is.
func (a *app) answer(ctx context.Context, request query.Request, out string) error {
	complete, err := query.Completeness(ctx, request)
	if err != nil {
		return err
	}
	if err := a.writeResult(ctx, request, out); err != nil {
		return err
	}
	target := a.stderr
	if out == "" && request.Format == "table" {
		target = a.stdout
	}
	_, err = fmt.Fprintln(target, complete)
	return err
}
