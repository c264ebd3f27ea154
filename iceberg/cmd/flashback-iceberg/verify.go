package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/audit"
)

func (a *app) verify() *cobra.Command {
	var asJSON, quick bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Compare the tables with the lake: counts, ids and content of each period",
		RunE: func(c *cobra.Command, _ []string) error {
			o, done, err := a.auditOptions(c)
			if err != nil {
				return err
			}
			defer done()
			o.Quick = quick
			report, err := audit.Verify(c.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(a.out).Encode(report)
			} else {
				for _, d := range report.Differences {
					fmt.Fprintln(a.out, d)
				}
				fmt.Fprintf(a.out, "%d periods, %d rows, %d differences\n", report.Periods, report.Rows, len(report.Differences))
			}
			if err == nil && len(report.Differences) > 0 {
				err = errDifference
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.Flags().BoolVar(&quick, "quick", false, "compare what the manifests say, and read no rows")
	return c
}

// auditOptions opens the lake and the catalog.
func (a *app) auditOptions(c *cobra.Command) (audit.Options, func(), error) {
	opened, err := a.settings.openLake()
	if err != nil {
		return audit.Options{}, nil, err
	}
	cat, err := a.settings.openCatalog(c.Context())
	if err != nil {
		_ = opened.Close()
		return audit.Options{}, nil, err
	}
	return audit.Options{Lake: opened, Catalog: cat, Org: a.settings.Org}, func() {
		_ = cat.Close()
		_ = opened.Close()
	}, nil
}

func (a *app) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show what the tables have of the organisation, and how far they are behind the lake",
		RunE: func(c *cobra.Command, _ []string) error {
			o, done, err := a.auditOptions(c)
			if err != nil {
				return err
			}
			defer done()
			status, err := audit.ReadStatus(c.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.out).Encode(status)
			}
			fmt.Fprintf(a.out, "organisation %s, lake generation %d\n", status.Org, status.Generation)
			for _, t := range status.Tables {
				fmt.Fprintf(a.out, "%-14s generation %d, %d rows in %d partitions, %d differ from the lake, %d snapshots\n",
					t.Name, t.Generation, t.Rows, t.Partitions, t.Pending, t.Snapshots)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	return c
}
