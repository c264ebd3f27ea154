package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/schema"
)

func (a *app) checkCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, reach the API, try the token",
		Long:  "Checks the configuration, reaches the API with the token, and says what a sync of\neach stream would read, what serve would run, and who would be\nnotified. It writes nothing.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context()) },
	}
	a.showAnswersFlag(command.Flags())
	return command
}

func (a *app) check(ctx context.Context) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	source, err := a.source(c, a.logger(c.Log), 1, nil)
	if err != nil {
		return err
	}
	defer source.Close()
	fmt.Fprintf(a.stdout, "configuration  %s is valid\nsource         %s\n\n", sourceName(c), c.API.BaseURL)
	t := newTable(a.stdout, "rows", "requests")
	t.AppendHeader(table.Row{"stream", "answer", "history from", "rows", "requests", "read again in every run"})
	var failure error
	probe := prober{source: source}
	for _, stream := range probe.streams(options(c)) {
		if hopeless(failure) {
			t.AppendRow(table.Row{stream.name, "not tried"})
			continue
		}
		row, err := stream.try(ctx)
		if err != nil {
			row = table.Row{"failed"}
			failure = errors.Join(failure, fmt.Errorf("%s: %w", stream.name, err))
		}
		t.AppendRow(append(table.Row{stream.name}, row...))
	}
	t.Render()
	if skew := probe.skew; skew.Abs() > time.Minute {
		fmt.Fprintf(a.stdout, "\nThis machine's clock is %s off the source's; runs go by the source's clock.\n", skew.Abs().Round(time.Second))
	}
	fmt.Fprintln(a.stdout)
	return errors.Join(failure, a.printUnattended(c), a.adviseLookback(ctx, c))
}

// hopeless reports whether the other streams would fail in the same way.
func hopeless(err error) bool {
	kind, known := api.KindOf(err)
	return known && (kind == api.Unauthorized || kind == api.Unreachable)
}

func sourceName(c *config.Config) string {
	if c.Path == "" {
		return "the environment"
	}
	return c.Path
}

// prober sends the smallest requests that show whether a stream can be synced.
type prober struct {
	source run.Source
	skew   time.Duration // of our clock against the source's
}

// probe is one stream to try. The row it gives begins with the answer.
type probe struct {
	name string
	try  func(context.Context) (table.Row, error)
}

func (p *prober) streams(o run.Options) []probe {
	var all []probe
	for _, list := range o.Lists {
		all = append(all, probe{list.Name(), func(ctx context.Context) (table.Row, error) { return p.list(ctx, list) }})
	}
	for _, stream := range schema.Streams() {
		if stream.Kind == schema.Series && o.Stats != nil {
			all = append(all, probe{stream.Name, func(ctx context.Context) (table.Row, error) { return p.stats(ctx, *o.Stats) }})
		}
	}
	return all
}

func (p *prober) list(ctx context.Context, list run.List) (table.Row, error) {
	var rows, requests, unknown int
	var failure error
	queries := list.Queries()
	for _, query := range queries {
		seen, err := p.source.Peek(ctx, query, list.Start)
		kind, known := api.KindOf(err)
		switch {
		case known && kind == api.NotFound:
			unknown++
			if query.PolicyPath != "" {
				err = fmt.Errorf("policy %s: %w", query.PolicyPath, err)
			}
			failure = errors.Join(failure, err)
		case err != nil:
			return nil, err
		default:
			p.skew = time.Since(seen.Now)
			rows += seen.Total
			requests += (seen.Total + api.MaxTake - 1) / api.MaxTake
		}
	}
	switch {
	case list.Optional && unknown == len(queries):
		return table.Row{"not served here (optional)"}, nil
	case failure != nil:
		return nil, failure
	}
	return table.Row{
		"ok", list.Start.Format(time.DateOnly), humanize.Comma(int64(rows)), humanize.Comma(int64(requests)),
		"the last " + list.Lookback.String(),
	}, nil
}

func (p *prober) stats(ctx context.Context, stats run.Stats) (table.Row, error) {
	var failure error
	named := stats.Named()
	for _, query := range named {
		_, err := p.source.Stats(ctx, query)
		kind, known := api.KindOf(err)
		switch {
		case known && (kind == api.NotFound || kind == api.Refused):
			failure = errors.Join(failure, fmt.Errorf("%s: %w", strings.TrimSpace(query.Scope+" "+query.ID), err))
		case err != nil:
			return nil, err
		}
	}
	switch {
	case failure != nil:
		return nil, failure
	case len(named) == 0:
		return table.Row{"not tried: a sync finds the repositories", stats.Start.Format(time.DateOnly)}, nil
	}
	return table.Row{"ok", stats.Start.Format(time.DateOnly) + " at most", "", "one a series", "buckets that were open"}, nil
}
