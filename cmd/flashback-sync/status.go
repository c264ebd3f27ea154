package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/internal/exit"
	"github.com/flashback-sync/flashback-sync/internal/terminal"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show freshness, coverage, gaps, rows and the last runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			known, err := a.readStatus(cmd.Context(), c)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(a.stdout).Encode(known.Brief())
			} else {
				terminal.Status(a.stdout, known)
			}
			switch {
			case known.HoldingsError != "":
				return &duckdb.StorageError{Doing: "read what is published", Err: errors.New(known.HoldingsError)}
			case known.Holdings == nil && known.Progress == nil && len(known.Runs) == 0: // data_dir may be the wrong folder, or not mounted
				return exit.WithHint(&duckdb.StorageError{Doing: "read " + c.DataDir, Err: errors.New("no run was ever here")}, "'flashback-sync sync' makes the first one; otherwise correct data_dir, or mount it")
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}
