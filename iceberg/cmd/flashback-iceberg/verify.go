package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/audit"
)

func (a *app) verify() *cobra.Command {
	c := &cobra.Command{Use: "verify", Short: "Compare the tables with the lake: counts, ids and content of each period"}
	quick := c.Flags().Bool("quick", false, "compare what the manifests say, and read no rows")
	return reporting(a, c, func(ctx context.Context) (*audit.Report, error) {
		lake, catalog, done, err := a.settings.open(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		report, err := audit.Verify(ctx, audit.Options{Lake: lake, Catalog: catalog, Org: a.settings.Org, Quick: *quick})
		if err == nil && len(report.Differences) > 0 {
			err = errDifference
		}
		return report, err
	}, func(out io.Writer, report *audit.Report) {
		for _, d := range report.Differences {
			fmt.Fprintln(out, d)
		}
		fmt.Fprintf(out, "%d periods, %d rows, %d differences\n", report.Periods, report.Rows, len(report.Differences))
	})
}

func (a *app) status() *cobra.Command {
	c := &cobra.Command{Use: "status", Short: "Show what the tables have of the organisation, and how far they are behind the lake"}
	return reporting(a, c, func(ctx context.Context) (*audit.Status, error) {
		lake, catalog, done, err := a.settings.open(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		return audit.ReadStatus(ctx, audit.Options{Lake: lake, Catalog: catalog, Org: a.settings.Org})
	}, func(out io.Writer, status *audit.Status) {
		fmt.Fprintf(out, "organisation %s, lake generation %d\n", status.Org, status.Generation)
		for _, t := range status.Tables {
			fmt.Fprintf(out, "%-14s generation %d, %d rows in %d partitions, %d differ from the lake, %d snapshots\n",
				t.Name, t.Generation, t.Rows, t.Partitions, t.Pending, t.Snapshots)
		}
	})
}
