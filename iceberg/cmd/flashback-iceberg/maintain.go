package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/maintain"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

// leastOrphanAge protects the files of pushes that run: none takes that long.
const leastOrphanAge = 24 * time.Hour

func (a *app) maintain() *cobra.Command {
	var o maintain.Options
	c := &cobra.Command{
		Use:   "maintain",
		Short: "Merge manifests, expire old snapshots, and remove files that no snapshot has",
		Long: "Maintains the tables of all organisations. Run it about once a week, on one machine; pushes\n" +
			"may go on meanwhile.",
	}
	c.Flags().DurationVar(&o.Keep, "keep", 7*24*time.Hour, "keep snapshots that are younger")
	c.Flags().IntVar(&o.Retain, "retain", 10, "keep at least so many of the last snapshots")
	c.Flags().DurationVar(&o.Orphans, "orphans", 72*time.Hour, "remove files that no snapshot has when they are older")
	return reporting(a, c, func(ctx context.Context) (_ []maintain.Result, err error) {
		if o.Orphans < leastOrphanAge || o.Keep < 0 || o.Retain < 1 {
			return nil, usage(fmt.Errorf("--orphans has to be at least %s, --keep 0s, --retain 1", leastOrphanAge))
		}
		if o.Catalog, err = a.settings.openCatalog(ctx); err != nil {
			return nil, err
		}
		defer func() { _ = o.Catalog.Close() }()
		return maintain.Run(ctx, o)
	}, func(out io.Writer, results []maintain.Result) {
		for _, r := range results {
			fmt.Fprintf(out, "%-14s %d manifests merged, %d snapshots expired, %d orphans (%d bytes) removed\n",
				r.Name, r.Manifests, r.Snapshots, r.Orphans, r.Bytes)
		}
	})
}

func (a *app) forget() *cobra.Command {
	c := &cobra.Command{
		Use:   "forget",
		Short: "Make an erasure of flashback-sync final: push it, then remove every older snapshot and its files",
		Long: "Run it after 'flashback-sync forget' on the machine with the lake. It pushes, expires all\n" +
			"snapshots but the last one of every table (of all organisations), removes the files that\n" +
			"only they had and old metadata, and lists the organisation's folder.",
	}
	return reporting(a, c, func(ctx context.Context) ([]maintain.Forgotten, error) {
		lake, catalog, done, err := a.settings.open(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		pushed, err := push.Run(ctx, push.Options{Lake: lake, Catalog: catalog, Org: a.settings.Org, Run: runID(), Log: a.log, Seal: true})
		if err != nil {
			return nil, err
		}
		results, err := maintain.Forget(ctx, catalog, a.settings.Org, pushed.Generation, slices.Sorted(maps.Keys(pushed.Tables)))
		if err == nil && slices.ContainsFunc(results, func(r maintain.Forgotten) bool { return len(r.Left) > 0 }) {
			err = errLeft
		}
		return results, err
	}, func(out io.Writer, results []maintain.Forgotten) {
		for _, r := range results {
			fmt.Fprintf(out, "%-14s %d snapshots expired, %d data files and %d metadata files removed; %d data files are left, all of them current but %d\n",
				r.Name, r.Snapshots, r.Data, r.Metadata, r.Listed, len(r.Left))
			for _, left := range r.Left {
				fmt.Fprintf(out, "  left: %s\n", left)
			}
			for _, warning := range r.Warnings {
				fmt.Fprintf(out, "  warning: %s\n", warning)
			}
		}
	})
}
