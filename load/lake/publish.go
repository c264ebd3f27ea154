package lake

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// source is the committed state, and what has changed in it.
type source interface {
	// Copy writes the rows of [from, to), sorted by time and key, to a file that exists,
	// with these options of DuckDB's COPY, and returns how many there are, between which
	// times. Several goroutines call it at once.
	Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (rows int64, oldest, newest time.Time, err error)
	// GrowAfter gives DuckDB more memory if the error says that it lacked some and there is
	// more. Nothing else reads at that time.
	GrowAfter(ctx context.Context, err error) (grown bool, failed error)
	// Changed lists the partitions with commits since they were published last.
	Changed(ctx context.Context, table *schema.Table) ([]time.Time, error)
	// Partitions lists all partitions with rows.
	Partitions(ctx context.Context, table *schema.Table) ([]time.Time, error)
}

// Options say where the lake is and how it is written.
type Options struct {
	Dir         string // data_dir/lake
	Compression string // zstd, snappy or none
	Generator   string // name and release, recorded in every file
	Now         time.Time
	Coverage    []checkpoints.Line
	Queries     []derived.Query
	Privacy     []schema.Treated // of the manifest
	Sealed      []string         // of the manifest
	Forgotten   []schema.Tombstone
	// Refresh writes the manifest even if no file changed.
	Refresh bool
	// Generation is this publication's number, larger than any before.
	Generation int64
	// Known reports whether a file below Dir has the identity that it was published with.
	// The content of any other file is compared with the manifest.
	Known func(path string, now durable.Identity) bool
	// Rewrite writes every file again: the manifest is not what was published.
	Rewrite bool
}

// Result says what was published.
type Result struct {
	Written map[*schema.Table][]time.Time // partitions that are up to date now
	Files   int                           // Parquet files written
	Bytes   int64                         // of these
	Removed int                           // Parquet files removed
	Altered []string                      // files that were not what was published, and are written again
	Intact  map[string]durable.Identity   // the identity of each file of the manifest, by path below Dir
	Changed bool                          // whether anything was written at all
}

// publication is one run of Publish.
type publication struct {
	Options
	folders
	source   source
	manifest *Manifest
	dropped  bool // the manifest lost an entry
	result   Result
}

// Publish writes every partition that changed, or whose file is missing, and then the
// manifest. If it fails, no partition counts as published. The caller has swept what a
// crash left behind.
func Publish(ctx context.Context, options Options, from source) (result Result, err error) {
	opened, err := openFolders(options.Dir)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, opened.root.Close()) }()
	l := &publication{Options: options, folders: opened, source: from, result: Result{Written: map[*schema.Table][]time.Time{}, Intact: map[string]durable.Identity{}}}
	if err := l.publish(ctx); err != nil {
		return Result{}, err
	}
	return l.result, nil
}

func (l *publication) publish(ctx context.Context) error {
	due, err := l.due(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(due, filesAtOnce) {
		files, err := l.write(ctx, some)
		if err == nil {
			err = l.install(files)
		}
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	if l.result.Files+l.result.Removed == 0 && !l.dropped && !l.Refresh {
		return nil
	}
	if err := l.syncFolders(); err != nil {
		return err
	}
	l.result.Changed = true
	return l.manifest.write(l.Options)
}

// filesAtOnce is how many files are written before they are renamed: enough to fsync them
// together, few enough to need little extra disk space.
const filesAtOnce = 32

// install renames the files that were written.
func (l *publication) install(files []*written) error {
	err := concurrently(syncers, files, func(f *written) error {
		if f.file == nil {
			return f.pending.Abort()
		}
		if err := durable.CheckFolders(l.dir, path.Dir(f.path())); err != nil {
			return err
		}
		return f.pending.Commit()
	})
	if err != nil {
		return errors.Join(err, l.abort(files))
	}
	for _, f := range files {
		if err := l.record(f); err != nil {
			return err
		}
	}
	return nil
}

// record records the result of a partition.
func (l *publication) record(f *written) error {
	path := f.path()
	if f.file == nil {
		removed, err := l.removeFile(path)
		if err != nil {
			return err
		}
		if removed {
			l.result.Removed++
		}
		delete(l.result.Intact, path)
	} else {
		f.file.Generation = l.Generation
		l.result.Files++
		l.result.Bytes += f.file.Bytes
		l.result.Intact[path], _ = durable.Identify(l.name(path))
	}
	l.dropped = l.manifest.replace(path, f.file) || l.dropped
	l.result.Written[f.table] = append(l.result.Written[f.table], f.start)
	return nil
}
