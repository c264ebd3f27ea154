package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

func (a *app) push() *cobra.Command {
	var asJSON, rebuilt bool
	c := &cobra.Command{
		Use:   "push",
		Short: "Bring the tables up to date",
		Long: "Compares the partitions of the tables with the lake's manifest, and commits what differs:\n" +
			"one commit for each table that changed. Safe to kill, to repeat and to run on several\n" +
			"machines at the same time.",
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := a.runPush(c, rebuilt)
			if result == nil {
				return err
			}
			if asJSON {
				if failed := json.NewEncoder(a.out).Encode(result); failed != nil {
					return failed
				}
			} else {
				a.printPush(result)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	c.Flags().BoolVar(&rebuilt, "rebuilt-lake", false, "accept a manifest that is older than the tables: the lake was made anew")
	return c
}

func (a *app) runPush(c *cobra.Command, rebuilt bool) (*push.Result, error) {
	o, done, err := a.auditOptions(c)
	if err != nil {
		return nil, err
	}
	defer done()
	return push.Run(c.Context(), push.Options{
		Lake: o.Lake, Catalog: o.Catalog, Org: o.Org, Run: runID(), Log: a.log, Rebuilt: rebuilt,
	})
}

func runID() string {
	var id [6]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func (a *app) printPush(result *push.Result) {
	names := make([]string, 0, len(result.Tables))
	for name := range result.Tables {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := result.Tables[name]
		switch {
		case t.Err != nil:
			fmt.Fprintf(a.out, "%-14s failed\n", name)
		case t.Snapshot == 0:
			fmt.Fprintf(a.out, "%-14s up to date\n", name)
		default:
			fmt.Fprintf(a.out, "%-14s %d partitions written, %d removed, %d rows, snapshot %d, %.1f s\n",
				name, t.Written, t.Removed, t.Rows, t.Snapshot, t.Seconds)
		}
	}
}
