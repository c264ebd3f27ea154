package lake

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// due lists the partitions to write, table by table in order of time: those that changed
// and those whose files are damaged. Without a reliable manifest these are all partitions
// with rows, and all with a file, whose rows may be gone.
func (l *publication) due(ctx context.Context) ([]partition, error) {
	listed, further := l.source.Changed, l.damaged
	manifest, err := ReadManifest(l.Dir)
	if err != nil || !manifest.reliable() || l.Rewrite {
		manifest, l.Refresh = &Manifest{}, true
		listed, further = l.source.Partitions, l.onDisk
	}
	l.manifest = manifest
	var due []partition
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned {
			continue
		}
		starts, err := listed(ctx, table)
		if err != nil {
			return nil, err
		}
		more, err := further(table)
		if err != nil {
			return nil, err
		}
		due = append(due, partitionsOf(table, append(starts, more...))...)
	}
	return due, nil
}

func partitionsOf(table *schema.Table, starts []time.Time) []partition {
	slices.SortFunc(starts, time.Time.Compare)
	starts = slices.CompactFunc(starts, time.Time.Equal)
	partitions := make([]partition, len(starts))
	for i, start := range starts {
		partitions[i] = partition{table, start}
	}
	return partitions
}

// damaged lists the partitions of a table whose files are missing or not what the manifest
// says. A file is read only if Known does not recognise it, which is cheaper.
func (l *publication) damaged(table *schema.Table) (starts []time.Time, err error) {
	for _, f := range l.manifest.Files {
		if f.Table != table.Name {
			continue
		}
		if err := durable.CheckFolders(l.dir, path.Dir(f.Path)); err != nil {
			return nil, err
		}
		now, there := durable.Identify(l.name(f.Path)) // before it is read, so that a later write is noticed
		if there && (l.Known != nil && l.Known(f.Path, now) || checkFile(l.root, f) == nil) {
			l.result.Intact[f.Path] = now
			continue
		}
		starts = append(starts, table.PartitionStart(f.Oldest))
		l.result.Altered = append(l.result.Altered, f.Path)
	}
	return starts, nil
}

// onDisk lists the partitions of a table that have a folder.
func (l *publication) onDisk(table *schema.Table) (starts []time.Time, err error) {
	if err := durable.CheckFolders(l.dir, table.Name); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(l.root.FS(), table.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if _, start, ours := PartitionOf(table.Name + "/" + entry.Name() + "/" + table.Name + ".parquet"); ours {
			starts = append(starts, start)
		}
	}
	return starts, nil
}
