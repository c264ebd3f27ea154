package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/forgotten"
	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
	"github.com/flashback-sync/flashback-sync/schema"
)

// manifestPath is the manifest's place below data_dir.
const manifestPath = "lake/" + lake.ManifestName

// refuseOlder refuses a warehouse that is older than what is published, as after an older
// state/ was restored: what it would publish lacks rows that are only there.
func (r *run) refuseOlder(ctx context.Context) error {
	own, err := r.warehouse.Generation(ctx)
	if err != nil {
		return err
	}
	path, newest := filepath.Join(r.options.LakeDir(), lake.ManifestName), int64(0)
	manifest, err := lake.ReadManifest(r.options.LakeDir())
	if err == nil { // one that cannot be read is written again
		newest = manifest.Generation
	}
	// Opening the file takes long. One that this warehouse published is not opened.
	if newest <= own && !published.Read(r.options.DataDir).Same(r.options.DataDir, snapshot.Name) {
		path, newest = r.snapshotPath(), snapshot.Generation(ctx, r.snapshotPath())
	}
	if newest <= own {
		return r.refuseUnknownPartitions(ctx, manifest)
	}
	return &duckdb.DamagedError{Path: load.File(r.options.DataDir), Reason: fmt.Sprintf(
		"the warehouse is older than what is published: it knows of %d publications, and %s is of publication %d; nothing was overwritten", own, path, newest)}
}

// refuseUnknownPartitions refuses a warehouse without a single row of a day or month that
// has a Parquet file of ours: an older data_dir was restored over a newer lake. A file of time
// that has expired, or with only rows of those who were forgotten, is an older one that was
// restored: its partition is listed, so that publishing removes it. After a crash a file
// may be an emptied partition's, which the run is about to remove. A repair has compared the
// files, and removes what does not belong to the lake.
func (r *run) refuseUnknownPartitions(ctx context.Context, manifest *lake.Manifest) error {
	found, err := lake.Unlisted(r.options.LakeDir(), manifest)
	if err != nil {
		return nil //nolint:nilerr // a lake that is missing or unreadable is reported where it is written
	}
	lenient := exists(r.unpublishedPath()) || r.options.Repair != nil
	stored := map[*schema.Table][]time.Time{}
	for _, path := range found {
		table, start, ours := lake.PartitionOf(path)
		if !ours {
			continue
		}
		file := filepath.Join(r.options.LakeDir(), filepath.FromSlash(path))
		restored := !lake.EndOf(table, start).After(r.expired[table.Name])
		if !restored && lenient {
			continue
		}
		if !restored {
			if stored[table] == nil {
				if stored[table], err = r.warehouse.Partitions(ctx, table); err != nil {
					return err
				}
			}
			if slices.ContainsFunc(stored[table], start.Equal) {
				continue
			}
			if restored, err = forgotten.OnlyErased(ctx, r.options.Privacy, table, file); err != nil {
				return err
			}
		}
		if !restored {
			return &duckdb.DamagedError{Path: load.File(r.options.DataDir), Reason: fmt.Sprintf(
				"the warehouse is older than what is published: it has no row of %s; nothing was overwritten", file)}
		}
		if !r.options.DryRun {
			if err := r.warehouse.MarkChanged(ctx, table, []time.Time{start}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Orphans are files that were made from the warehouse: no new warehouse is made beside
// one of them.
func (o *Options) Orphans() []string {
	paths := []string{filepath.Join(o.DataDir, snapshot.Name), filepath.Join(o.LakeDir(), lake.ManifestName)}
	if exists(load.File(o.DataDir)) {
		return paths
	}
	if found, err := lake.Unlisted(o.LakeDir(), nil); err == nil && len(found) > 0 {
		paths = append(paths, filepath.Join(o.LakeDir(), filepath.FromSlash(found[0])))
	}
	return paths
}
