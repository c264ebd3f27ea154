package maintain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/apache/iceberg-go/catalog"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/flashback-sync/flashback-sync/iceberg/catalogs"
	"github.com/flashback-sync/flashback-sync/iceberg/snapshots"
	"github.com/flashback-sync/flashback-sync/iceberg/tables"
)

// Forgotten is what Forget did to one table, and what is left.
type Forgotten struct {
	Name      string   `json:"name"`
	Snapshots int      `json:"snapshots_expired"`
	Data      int      `json:"data_files_removed"`
	Metadata  int      `json:"metadata_files_removed"`
	Listed    int      `json:"data_files_listed"` // all of them in the current snapshot, but for Left
	Left      []string `json:"left"`              // what may still have erased rows
	Warnings  []string `json:"warnings"`
}

// foreignAge is the age from which on an unreferenced file of another program is removed:
// before that the program may be about to commit it.
const foreignAge = 24 * time.Hour

// Forget removes what the tables had before the organisation's last push, whose generation the
// caller has sealed: older snapshots, their files and old metadata. Then it lists the
// organisation's folder.
//
// Files of that generation or a newer one have no erased row, and a push of an older one is
// refused. So everything else can go, even while other pushes run.
func Forget(ctx context.Context, cat *catalogs.Catalog, org string, generation int64, names []string) ([]Forgotten, error) {
	var results []Forgotten
	for _, name := range names {
		f := &forgetter{cat: cat, org: org, generation: generation, result: Forgotten{Name: name, Left: []string{}, Warnings: []string{}}}
		err := f.run(ctx)
		if errors.Is(err, catalog.ErrNoSuchTable) {
			continue
		}
		results = append(results, f.result)
		if err != nil {
			return results, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return results, nil
}

type forgetter struct {
	cat        *catalogs.Catalog
	org        string
	generation int64
	result     Forgotten
}

func (f *forgetter) run(ctx context.Context) (err error) {
	if f.result.Snapshots, err = expire(ctx, f.cat, f.result.Name, 0, 1); err != nil {
		return fmt.Errorf("expire snapshots: %w", err)
	}
	tbl, err := f.cat.Load(ctx, f.result.Name)
	if err != nil {
		return err
	}
	live, err := snapshots.Read(ctx, tbl, f.org)
	if err != nil {
		return err
	}
	if err := f.oldMetadata(live); err != nil {
		return fmt.Errorf("remove old metadata: %w", err)
	}
	if live.Generation < f.generation {
		return fmt.Errorf("the table has generation %d, not %d: it was not pushed", live.Generation, f.generation)
	}
	if err := f.data(live); err != nil {
		return fmt.Errorf("list data files: %w", err)
	}
	f.references(live)
	f.versioning(ctx, live)
	return nil
}

// oldMetadata removes the metadata files of earlier commits.
func (f *forgetter) oldMetadata(live *snapshots.Live) error {
	for entry := range live.Table.Metadata().PreviousFiles() {
		if err := live.Files.Remove(entry.MetadataFile); err == nil {
			f.result.Metadata++
		} else if !missing(err) {
			return err
		}
	}
	return nil
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "code=NotFound")
}

// data removes what lies in the organisation's folder and is in no snapshot. What a second
// listing finds is left: it could not be removed, or a push that runs has just written it.
func (f *forgetter) data(live *snapshots.Live) error {
	remove, err := f.list(live)
	if err != nil {
		return err
	}
	for _, path := range remove {
		if err := live.Files.Remove(path); err != nil && !missing(err) {
			return err
		}
	}
	left, err := f.list(live)
	f.result.Data = len(remove)
	f.result.Left = append(f.result.Left, left...)
	return err
}

// list counts the files of the organisation's folder, and finds those that have to go. A listing
// without a file that the current snapshot has there proves nothing: Google Cloud Storage is
// read as if a folder that may not be listed were empty.
func (f *forgetter) list(live *snapshots.Live) (remove []string, err error) {
	provider, err := live.Table.LocationProvider()
	if err != nil {
		return nil, err
	}
	folder := strings.TrimSuffix(provider.NewDataLocation(tables.OrgColumn+"="+f.org+"/x"), "/x")
	current := map[string]bool{}
	for _, p := range live.Partitions {
		for _, file := range p.Files {
			if path := pathOf(file.FilePath()); strings.HasPrefix(path, pathOf(folder)+"/") {
				current[path] = true
			}
		}
	}
	f.result.Listed, f.result.Left = 0, []string{}
	err = live.Files.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil && missing(err) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		f.result.Listed++
		name, ours := snapshots.ParseName(path)
		switch {
		case current[pathOf(path)]:
			delete(current, pathOf(path))
		case ours && name.Generation >= f.generation:
		case ours, time.Since(info.ModTime()) > foreignAge:
			remove = append(remove, path)
		default:
			f.result.Left = append(f.result.Left, path)
		}
		return nil
	})
	if err == nil && len(current) > 0 {
		err = fmt.Errorf("the listing of %s lacks %d files of the current snapshot: may it be listed?", folder, len(current))
	}
	return remove, err
}

// pathOf is a location without its scheme: listings and manifests may disagree about it.
func pathOf(location string) string {
	if _, path, found := strings.Cut(location, "://"); found {
		return strings.TrimLeft(path, "/")
	}
	return strings.TrimLeft(strings.TrimPrefix(location, "file:"), "/")
}

// references reports snapshots that a tag or a branch keeps.
func (f *forgetter) references(live *snapshots.Live) {
	current := live.Table.CurrentSnapshot()
	for name, ref := range live.Table.Metadata().Refs() {
		if current == nil || ref.SnapshotID != current.SnapshotID {
			f.result.Left = append(f.result.Left, fmt.Sprintf("snapshot %d, which the reference %s keeps", ref.SnapshotID, name))
		}
	}
}

// versioning warns of storage that keeps what was removed.
func (f *forgetter) versioning(ctx context.Context, live *snapshots.Live) {
	address, err := url.Parse(live.Table.Location())
	if err != nil || address.Scheme == "" || address.Scheme == "file" {
		return
	}
	warning := "whether the bucket keeps old versions or deleted objects could not be found out: if it does, remove them below " + live.Table.Location()
	if bucket, ok := live.Files.(interface{ As(any) bool }); ok {
		var client *s3.Client
		if bucket.As(&client) {
			answer, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String(address.Host)})
			switch {
			case err == nil && answer.Status == "":
				return // never enabled
			case err == nil:
				warning = "the bucket keeps old versions of objects: remove noncurrent versions below " + live.Table.Location()
			}
		}
	}
	f.result.Warnings = append(f.result.Warnings, warning)
}
