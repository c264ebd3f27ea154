package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flashback-sync/flashback-sync/iceberg/push"
)

func (a *app) push() *cobra.Command {
	var o push.Options
	c := &cobra.Command{
		Use:   "push",
		Short: "Bring the tables up to date",
		Long: "Compares the partitions of the tables with the lake's manifest, and commits what differs:\n" +
			"one commit for each table that changed. Safe to kill, to repeat and to run on several\n" +
			"machines at the same time.",
	}
	c.Flags().BoolVar(&o.Rebuilt, "rebuilt-lake", false, "accept a manifest that is older than the tables: the lake was made anew")
	return reporting(a, c, func(ctx context.Context) (*push.Result, error) {
		lake, catalog, done, err := a.settings.open(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		o.Lake, o.Catalog, o.Org, o.Run, o.Log = lake, catalog, a.settings.Org, runID(), a.log
		return push.Run(ctx, o)
	}, printPush)
}

func runID() string {
	var id [6]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func printPush(out io.Writer, result *push.Result) {
	for _, name := range slices.Sorted(maps.Keys(result.Tables)) {
		t := result.Tables[name]
		switch {
		case t.Err != nil:
			fmt.Fprintf(out, "%-14s failed\n", name)
		case t.Snapshot == 0:
			fmt.Fprintf(out, "%-14s up to date\n", name)
		default:
			fmt.Fprintf(out, "%-14s %d partitions written, %d removed, %d rows, snapshot %d, %.1f s\n",
				name, t.Written, t.Removed, t.Rows, t.Snapshot, t.Seconds)
		}
	}
}
