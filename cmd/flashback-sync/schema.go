package main

import (
	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "schema",
		Short: "Print the data dictionary",
		Long:  "Prints every table, view and column with its meaning: as Markdown, as JSON, as the\nSQL that makes them, or as a dbt sources.yml.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("--format", format, schema.Formats()); err != nil {
				return err
			}
			out, err := schema.Dictionary(format, schema.Tables(), schema.Views())
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(out)
			return err
		},
	}
	command.Flags().StringVarP(&format, "format", "f", "markdown", "markdown, json, sql or dbt")
	return command
}
