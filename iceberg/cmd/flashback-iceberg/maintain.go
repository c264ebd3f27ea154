package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/maintain"
	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

// leastOrphanAge protects the files of pushes that run: none takes that long.
const leastOrphanAge = 24 * time.Hour

func (a *app) maintain() *cobra.Command {
	var asJSON bool
	o := maintain.Options{Log: a.log}
	c := &cobra.Command{
		Use:   "maintain",
		Short: "Merge manifests, expire old snapshots, and remove files that no snapshot has",
		Long: "Maintains the tables of all organisations. Run it about once a week, on one machine; pushes\n" +
			"may go on meanwhile.",
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Orphans < leastOrphanAge || o.Keep < 0 || o.Retain < 1 {
				return usage(fmt.Errorf("--orphans has to be at least %s, --keep 0s, --retain 1", leastOrphanAge))
			}
			cat, err := a.settings.openCatalog(c.Context())
			if err != nil {
				return err
			}
			defer func() { _ = cat.Close() }()
			o.Catalog = cat
			if o.Names, err = names(c.Context(), cat); err != nil {
				return err
			}
			results, err := maintain.Run(c.Context(), o)
			if asJSON {
				return errors.Join(err, json.NewEncoder(a.out).Encode(results))
			}
			for _, r := range results {
				fmt.Fprintf(a.out, "%-14s %d manifests merged, %d snapshots expired, %d orphans (%d bytes) removed\n",
					r.Name, r.Manifests, r.Snapshots, r.Orphans, r.Bytes)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	c.Flags().DurationVar(&o.Keep, "keep", 7*24*time.Hour, "keep snapshots that are younger")
	c.Flags().IntVar(&o.Retain, "retain", 10, "keep at least so many of the last snapshots")
	c.Flags().DurationVar(&o.Orphans, "orphans", 72*time.Hour, "remove files that no snapshot has when they are older")
	return c
}

// names lists the tables of the namespace.
func names(ctx context.Context, cat *catalogs.Catalog) ([]string, error) {
	var list []string
	for ident, err := range cat.ListTables(ctx, cat.Namespace()) {
		if err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		list = append(list, ident[len(ident)-1])
	}
	return list, nil
}

func (a *app) forget() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "forget",
		Short: "Make an erasure of flashback-sync final: push it, then remove every older snapshot and its files",
		Long: "Run it after 'flashback-sync forget' on the machine with the lake. It pushes, expires all\n" +
			"snapshots but the last one of every table (of all organisations), removes the files that\n" +
			"only they had and old metadata, and lists the organisation's folder.",
		RunE: func(c *cobra.Command, _ []string) error {
			results, err := a.runForget(c)
			if asJSON {
				if failed := json.NewEncoder(a.out).Encode(results); failed != nil {
					return failed
				}
			} else {
				a.printForget(results)
			}
			for _, r := range results {
				if err == nil && len(r.Left) > 0 {
					err = errLeft
				}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

func (a *app) runForget(c *cobra.Command) ([]maintain.Forgotten, error) {
	o, done, err := a.auditOptions(c)
	if err != nil {
		return nil, err
	}
	defer done()
	pushed, err := push.Run(c.Context(), push.Options{
		Lake: o.Lake, Catalog: o.Catalog, Org: o.Org, Run: runID(), Log: a.log, Seal: true,
	})
	if err != nil {
		return nil, err
	}
	var tables []string
	for name := range pushed.Tables {
		tables = append(tables, name)
	}
	return maintain.Forget(c.Context(), o.Catalog, o.Org, pushed.Generation, tables)
}

func (a *app) printForget(results []maintain.Forgotten) {
	for _, r := range results {
		fmt.Fprintf(a.out, "%-14s %d snapshots expired, %d data files and %d metadata files removed; %d data files are left, all of them current but %d\n",
			r.Name, r.Snapshots, r.Data, r.Metadata, r.Listed, len(r.Left))
		for _, left := range r.Left {
			fmt.Fprintf(a.out, "  left: %s\n", left)
		}
		for _, warning := range r.Warnings {
			fmt.Fprintf(a.out, "  warning: %s\n", warning)
		}
	}
}
