package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/cookbook"
	"github.com/flashback-sync/flashback-sync/internal/query"
)

// defaultDays is how long the period is if none is given.
const defaultDays = 30

func (a *app) askCommand() *cobra.Command {
	request := query.Request{Limits: query.DefaultLimits()}
	var out, month, from, to string
	var markdown bool
	command := &cobra.Command{
		Use:   "ask [QUESTION]",
		Short: "Answer a question of the cookbook, and say whether its period is complete",
		Long: `Without an argument it lists the questions, which are explained in docs/cookbook.md.
With the name of one it answers it for a period: --month, or --from and --to, or the
last 30 complete days. Days are UTC days. Whether all days of the period are proven
complete stands below the table, and in other formats on stderr.`,
		Example: `  flashback-sync ask
  flashback-sync ask repeat-offenders --month 2026-10
  flashback-sync ask weekly --from 2026-08-01 --to 2026-10-31 --out weekly.xlsx`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case markdown:
				_, err := fmt.Fprint(a.stdout, cookbook.Markdown())
				return err
			case len(args) == 0:
				a.listQuestions()
				return nil
			}
			question, err := questionNamed(args[0])
			if err != nil {
				return usage(err)
			}
			return a.withDatabase(cmd, &request, out, func() error {
				asked, err := periodOf(cmd.Context(), request.Database, month, from, to)
				if err != nil {
					return err
				}
				request.SQL = question.Within(asked.first, asked.last)
				if err := a.writeResult(cmd.Context(), request, out); err != nil {
					return err
				}
				target := a.stderr
				if out == "" && request.Format == "table" {
					target = a.stdout
				}
				_, err = fmt.Fprintln(target, asked)
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVarP(&request.Format, "format", "f", "table", "table, csv, json, jsonl, parquet, arrow or xlsx")
	flags.StringVarP(&out, "out", "o", "", "write the answer to this `file`")
	flags.StringVar(&month, "month", "", "the `month` to answer for: 2026-10")
	flags.StringVar(&from, "from", "", "first `day` of the period: 2026-10-01")
	flags.StringVar(&to, "to", "", "last `day` of the period")
	flags.BoolVar(&markdown, "markdown", false, "print the cookbook as a document")
	return command
}

func (a *app) listQuestions() {
	t := newTable(a.stdout)
	t.AppendHeader(table.Row{"question", "for", ""})
	for _, q := range cookbook.Questions() {
		t.AppendRow(table.Row{q.Name, q.For, q.Text})
	}
	fmt.Fprintln(a.stdout, t.Render())
}

func questionNamed(name string) (cookbook.Question, error) {
	all := cookbook.Questions()
	if i := slices.IndexFunc(all, func(q cookbook.Question) bool { return q.Name == name }); i >= 0 {
		return all[i], nil
	}
	return cookbook.Question{}, fmt.Errorf("there is no question %q: 'flashback-sync ask' lists them", name)
}

// asked is a period and how many of its days are complete.
type asked struct {
	first, last time.Time
	complete    int
}

func (p asked) days() int { return int(p.last.Sub(p.first)/(24*time.Hour)) + 1 }

func (p asked) String() string {
	period := p.first.Format(time.DateOnly) + " to " + p.last.Format(time.DateOnly)
	if p.complete == p.days() {
		return period + ": complete, every day of every configured stream is covered"
	}
	return fmt.Sprintf("%s: NOT complete, %d of %d days are; 'flashback-sync ask incomplete' lists the others", period, p.complete, p.days())
}

// periodOf reads the period from the flags, and from the file how complete it is.
func periodOf(ctx context.Context, database, month, from, to string) (p asked, err error) {
	if month != "" && from+to != "" {
		return p, usage(errors.New("give --month, or --from and --to"))
	}
	newest, err := number(ctx, database, "SELECT coalesce(epoch(max(day)), 0)::BIGINT AS n FROM bi.calendar WHERE complete")
	if err != nil {
		return p, err
	}
	p.last = time.Unix(int64(newest), 0).UTC()
	if month != "" {
		if p.first, err = time.Parse("2006-01", month); err != nil {
			return p, usage(errors.New("--month is to be like 2026-10"))
		}
		p.last = p.first.AddDate(0, 1, -1)
	}
	if to != "" {
		if p.last, err = time.Parse(time.DateOnly, to); err != nil {
			return p, usage(errors.New("--to is to be a day, like 2026-10-31"))
		}
	}
	if p.first.IsZero() {
		p.first = p.last.AddDate(0, 0, 1-defaultDays)
	}
	if from != "" {
		if p.first, err = time.Parse(time.DateOnly, from); err != nil {
			return p, usage(errors.New("--from is to be a day, like 2026-10-01"))
		}
	}
	if p.last.Before(p.first) {
		return p, usage(errors.New("--from must not be after --to"))
	}
	p.complete, err = number(ctx, database, cookbook.Question{
		SQL: "SELECT count(*) AS n FROM bi.calendar WHERE complete AND day BETWEEN first_day AND last_day",
	}.Within(p.first, p.last))
	return p, err
}

// number is the one number that a query gives.
func number(ctx context.Context, database, sql string) (int, error) {
	var b bytes.Buffer
	request := query.Request{Database: database, SQL: sql, Format: "csv", Limits: query.DefaultLimits()}
	if err := query.Run(ctx, request, query.Output{Writer: &b}); err != nil {
		return 0, queryFailure(err)
	}
	_, value, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
	return strconv.Atoi(strings.TrimSpace(value))
}
