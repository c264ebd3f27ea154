// Package maintain keeps tables small and fast, and follows the erasure of persons.
package maintain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Options say what to maintain.
type Options struct {
	Catalog *catalogs.Catalog
	Keep    time.Duration // snapshots that are younger stay
	Retain  int           // and so do so many of the last ones
	Orphans time.Duration // files that nothing refers to go when they are older
}

// Result is what was done to one table.
type Result struct {
	Name      string `json:"name"`
	Manifests int    `json:"manifests_merged"`
	Snapshots int    `json:"snapshots_expired"`
	Orphans   int    `json:"orphans_removed"`
	Bytes     int64  `json:"orphan_bytes"`
}

// Run maintains the tables of the namespace. Pushes may go on meanwhile: each step is a commit that is made
// again after a conflict, and removes only what no snapshot has.
func Run(ctx context.Context, o Options) ([]Result, error) {
	var names []string
	for ident, err := range o.Catalog.ListTables(ctx, o.Catalog.Namespace()) {
		if err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		names = append(names, ident[len(ident)-1])
	}
	var results []Result
	var failed []error
	for _, name := range names {
		result, err := maintain(ctx, o, name)
		if errors.Is(err, catalog.ErrNoSuchTable) {
			continue
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("table %s: %w", name, err))
		}
		results = append(results, result)
	}
	return results, errors.Join(failed...)
}

func maintain(ctx context.Context, o Options, name string) (Result, error) {
	result := Result{Name: name}
	var err error
	if result.Manifests, err = rewriteManifests(ctx, o, name); err != nil {
		return result, fmt.Errorf("rewrite manifests: %w", err)
	}
	if result.Snapshots, err = expire(ctx, o.Catalog, name, o.Keep, o.Retain); err != nil {
		return result, fmt.Errorf("expire snapshots: %w", err)
	}
	tbl, err := o.Catalog.Load(ctx, name)
	if err != nil {
		return result, err
	}
	orphans, err := tbl.DeleteOrphanFiles(ctx, table.WithFilesOlderThan(o.Orphans))
	if err != nil {
		return result, fmt.Errorf("remove orphans: %w", err)
	}
	result.Orphans, result.Bytes = len(orphans.DeletedFiles), orphans.TotalSizeBytes
	return result, nil
}

const tries = 30

// again repeats a commit of iceberg-go until it is not in conflict with another one.
func again(ctx context.Context, cat *catalogs.Catalog, name string, commit func(*table.Table) error) error {
	for try := 1; ; try++ {
		release := cat.Lock(ctx, name)
		tbl, err := cat.Load(ctx, name)
		if err == nil {
			err = commit(tbl)
		}
		release()
		if err == nil || try == tries || catalogs.OutcomeOf(err) != catalogs.Conflict {
			return err
		}
		if err := catalogs.Sleep(ctx, 50*time.Millisecond, time.Second); err != nil {
			return err
		}
	}
}

// rewriteManifests merges manifests so that each has one organisation's files: a push reads
// only its own.
func rewriteManifests(ctx context.Context, o Options, name string) (merged int, err error) {
	err = again(ctx, o.Catalog, name, func(tbl *table.Table) error {
		tx := tbl.NewTransaction()
		result, err := tx.RewriteManifests(ctx, table.WithRewriteManifestClusterBy(func(file iceberg.DataFile) any {
			org, _ := file.Partition()[tables.OrgField].(string)
			return org
		}))
		if err != nil || len(result.RewrittenManifests) <= len(result.AddedManifests) {
			return err // nothing to gain
		}
		_, err = tx.Commit(ctx)
		merged = len(result.RewrittenManifests)
		return err
	})
	return merged, err
}

// expire removes old snapshots, and the files that only they had.
func expire(ctx context.Context, cat *catalogs.Catalog, name string, keep time.Duration, retain int) (expired int, err error) {
	err = again(ctx, cat, name, func(tbl *table.Table) error {
		tx := tbl.NewTransaction()
		if err := tx.ExpireSnapshots(table.WithOlderThan(keep), table.WithRetainLast(retain)); err != nil {
			return err
		}
		after, err := tx.Commit(ctx)
		if after != nil {
			expired = len(tbl.Metadata().Snapshots()) - len(after.Metadata().Snapshots())
		}
		return err
	})
	return expired, err
}
