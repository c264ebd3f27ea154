package run

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
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
	if manifest, err := lake.ReadManifest(r.options.LakeDir()); err == nil { // one that cannot be read is written again
		newest = manifest.Generation
	}
	// Opening the file takes long. One that this warehouse published is not opened.
	if newest <= own && !published.Read(r.options.DataDir).Same(r.options.DataDir, snapshot.Name) {
		path, newest = r.snapshotPath(), load.PublishedGeneration(ctx, r.snapshotPath())
	}
	if newest <= own {
		return nil
	}
	return &duckdb.DamagedError{Path: load.File(r.options.DataDir), Reason: fmt.Sprintf(
		"the warehouse is older than what is published: it knows of %d publications, and %s is of publication %d; nothing was overwritten", own, path, newest)}
}

// Orphans are files that were made from the warehouse: no new warehouse is made beside
// one of them.
func (o *Options) Orphans() []string {
	paths := []string{filepath.Join(o.DataDir, snapshot.Name), filepath.Join(o.LakeDir(), lake.ManifestName)}
	if exists(load.File(o.DataDir)) {
		return paths
	}
	if found, err := lake.Find(o.LakeDir()); err == nil && len(found.Unlisted) > 0 {
		paths = append(paths, filepath.Join(o.LakeDir(), filepath.FromSlash(found.Unlisted[0])))
	}
	return paths
}
