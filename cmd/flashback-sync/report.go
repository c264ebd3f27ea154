package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	var asJSON, holdings bool
	command := &cobra.Command{
		Use:   "report",
		Short: "Write the status page as one file",
		Long: `Writes what the status page of 'serve' shows as one HTML file that needs nothing
else: what is wrong, freshness, coverage, runs, and an overview of the events.
It opens nothing that a sync needs, and may run at any moment.`,
		Example: "  flashback-sync report --out report.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if holdings {
				return a.printHoldings(cmd.Context(), cmd.InOrStdin())
			}
			c, err := a.load()
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				s, err := readAll(cmd.Context(), c)
				if err != nil {
					return err
				}
				return json.NewEncoder(a.stdout).Encode(s.Judged())
			case out == "":
				return usage(errors.New("say where to: --out report.html, or --json"))
			}
			return a.writeStatusPage(cmd.Context(), c, out)
		},
	}
	flags := command.Flags()
	flags.StringVar(&out, "out", "", "write the page to this `FILE`")
	flags.BoolVar(&asJSON, "json", false, "print what the page shows as JSON")
	flags.BoolVar(&holdings, "holdings", false, "read on stdin what to read, and print what is published, both as JSON")
	_ = flags.MarkHidden("holdings") // serve asks for it
	return command
}

func (a *app) writeStatusPage(ctx context.Context, c *config.Config, out string) error {
	if err := canReceive("--out", out); err != nil {
		return err
	}
	s, err := readAll(ctx, c)
	if err != nil {
		return err
	}
	var content strings.Builder
	if err := page.Write(&content, s, page.Options{Static: true}); err != nil {
		return err
	}
	if err := writeFile("--out", out, []byte(content.String())); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s written: %s\n", out, oneLine(s))
	return nil
}

// oneLine says how things stand.
func oneLine(s *status.Status) string {
	problems := s.Problems()
	if len(problems) == 0 {
		return "no problems found. " + s.Checked()
	}
	return fmt.Sprintf("%s: %s", problems[0].Subject, problems[0].Text)
}

// printHoldings is what serve reads, null if nothing is published. It is told what
// to read, and reads no configuration: serve's is the one that holds, and the file
// may be half edited.
func (a *app) printHoldings(ctx context.Context, question io.Reader) error {
	var from status.Source
	if err := json.NewDecoder(question).Decode(&from); err != nil {
		return usage(fmt.Errorf("--holdings: %w", err))
	}
	held, err := status.ReadHoldings(ctx, from)
	if err != nil && !errors.Is(err, status.ErrNothingPublished) {
		return err
	}
	return json.NewEncoder(a.stdout).Encode(held)
}

// readAll reads everything in this process.
func readAll(ctx context.Context, c *config.Config) (*status.Status, error) {
	s, err := readRecords(c)
	if err != nil {
		return nil, err
	}
	s.Holdings, err = status.ReadHoldings(ctx, holdingsOf(c))
	if err != nil && !errors.Is(err, status.ErrNothingPublished) {
		s.HoldingsError = clean(err.Error(), 500)
	}
	return s, ctx.Err()
}

// readRecords reads all but what is published.
func readRecords(c *config.Config) (*status.Status, error) {
	s, err := status.Read(c.DataDir, time.Now())
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read the journal", Err: err}
	}
	s.Version, s.Source, s.StaleAfter, s.DataDir = version, c.API.BaseURL, c.Alarms.StaleAfter, c.DataDir
	s.Host, _ = os.Hostname() // shown if it is known
	return s, nil
}

func holdingsOf(c *config.Config) status.Source {
	from := status.Source{
		DataDir: c.DataDir, DuckDB: c.Publish.DuckDB == "copy", Names: c.Serve.ShowNames, At: time.Now().UTC(),
		Lookbacks: lookbacks(c), Wanted: map[string]status.Wanted{},
	}
	o := options(c)
	for name, wanted := range o.Wanted() {
		from.Wanted[name] = status.Wanted(wanted)
	}
	if c.Streams.PolicyStats != nil {
		from.Lookbacks[run.PolicyStats] = 0
	}
	return from
}
