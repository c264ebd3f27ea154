package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/pipeline"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, reach the API, try the token",
		Long:  "Checks the configuration, reaches the API with the token, and says what a sync of\neach stream would read. It writes nothing.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context()) },
	}
}

func (a *app) check(ctx context.Context) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	client, err := a.client(c, a.logger(c.Log))
	if err != nil {
		return err
	}
	defer client.Close()
	fmt.Fprintf(a.stdout, "configuration  %s is valid\nsource         %s\n\n", sourceName(c), c.API.BaseURL)
	t := newTable(a.stdout)
	t.AppendHeader(table.Row{"stream", "answer", "history from", "rows", "requests", "read again in every run"})
	var failures []error
	skew := time.Duration(0)
	for _, list := range options(c).Lists {
		row, clock, err := probeList(ctx, client, list)
		t.AppendRow(row)
		failures = append(failures, err)
		if !clock.IsZero() {
			skew = time.Since(clock)
		}
	}
	if stats := options(c).Stats; stats != nil {
		row, err := probeStats(ctx, client, *stats)
		t.AppendRow(row)
		failures = append(failures, err)
	}
	t.Render()
	if skew.Abs() > time.Minute {
		fmt.Fprintf(a.stdout, "\nThis machine's clock is %s off the source's; runs go by the source's clock.\n", skew.Abs().Round(time.Second))
	}
	return errors.Join(failures...)
}

func sourceName(c *config.Config) string {
	if c.Path == "" {
		return "the environment"
	}
	return c.Path
}

// probeList asks for the stream's newest row and says what a sync would read.
func probeList(ctx context.Context, client *extract.Client, list pipeline.List) (table.Row, time.Time, error) {
	query := list.Query
	if len(list.Policies) > 0 {
		query.PolicyPath = list.Policies[0]
	}
	clock, total, err := client.Peek(ctx, query, list.Start)
	kind, known := extract.KindOf(err)
	switch {
	case known && kind == extract.NotFound && list.Optional:
		return table.Row{list.Name(), "not served here (optional)"}, clock, nil
	case err != nil:
		return table.Row{list.Name(), "failed"}, clock, fmt.Errorf("%s: %w", list.Name(), err)
	}
	requests := (total + extract.MaxTake - 1) / extract.MaxTake
	return table.Row{
		list.Name(), "ok", list.Start.Format(time.DateOnly), humanize.Comma(int64(total)), humanize.Comma(int64(requests)),
		"the last " + list.Lookback.String(),
	}, clock, nil
}

func probeStats(ctx context.Context, client *extract.Client, stats pipeline.Stats) (table.Row, error) {
	scope := stats.Scopes[0]
	query := extract.StatsQuery{Scope: scope.Scope, Window: "24h", Bucket: stats.Bucket}
	if len(scope.IDs) > 0 {
		query.ID = scope.IDs[0]
	}
	if scope.Auto && query.ID == "" {
		return table.Row{pipeline.PolicyStats, "not tried: repositories are found by a sync", stats.Start.Format(time.DateOnly)}, nil
	}
	if _, err := client.Stats(ctx, query); err != nil {
		return table.Row{pipeline.PolicyStats, "failed"}, fmt.Errorf("%s: %w", pipeline.PolicyStats, err)
	}
	return table.Row{
		pipeline.PolicyStats, "ok", stats.Start.Format(time.DateOnly) + " or the API's reach", "", "one a series",
		"buckets that were still open",
	}, nil
}
