package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/schema"
)

// version is set when a release is built.
var version = "dev"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which release this is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			engine, err := duckdb.Version(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "flashback-sync %s (schema %d, DuckDB %s, %s %s/%s)\n",
				version, schema.Version, engine, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
