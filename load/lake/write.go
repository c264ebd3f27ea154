package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// written is the new file of a partition under its temporary name.
type written struct {
	partition
	pending *durable.File // nil: not written yet
	file    *File         // nil: the partition has no rows and gets no file
}

// writers is how many files are written at once: one per core, but no more than DuckDB's
// memory is likely to allow.
func writers() int { return min(runtime.GOMAXPROCS(0), 4) }

// syncers is how many files are fsynced at once: a disk needs little more time for many
// than for one.
const syncers = 16

// write writes the files of partitions under temporary names and fsyncs them. If it fails
// none is left.
func (l *publication) write(ctx context.Context, partitions []partition) (files []*written, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, l.abort(files))
		}
	}()
	for _, part := range partitions {
		if err := l.makeFolder(path.Dir(part.path())); err != nil {
			return files, err
		}
		files = append(files, &written{partition: part})
	}
	err = concurrently(writers(), files, func(f *written) error {
		if err := l.copy(ctx, f, groupRows); !duckdb.OutOfMemory(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return files, err
	}
	for _, f := range files {
		if f.pending != nil {
			continue
		}
		if err := l.copyAlone(ctx, f); err != nil {
			return files, err
		}
	}
	return files, concurrently(syncers, files, func(f *written) error { return f.pending.Finish() })
}

// groupRows is the number of rows of a row group, DuckDB's own: readers skip whole groups
// by their statistics. DuckDB keeps a group in memory until it is complete, so large rows
// need smaller groups; fewGroupRows is the least that it makes.
const (
	groupRows    = 122_880
	fewGroupRows = 2048
)

var codecs = map[string]string{"zstd": "zstd, COMPRESSION_LEVEL 1", "snappy": "snappy", "none": "uncompressed"}

// copyOptions choose the encodings of a file. Version 1 is what every reader understands:
// Power BI and others refuse the encodings of version 2, which would save 3 to 7% of the
// bytes. Level 1 of zstd is the fastest; higher ones gain little. Bloom filters are left
// out: a file is one day, and they are as large as the column of an id.
func (o Options) copyOptions(groupRows int) (string, error) {
	codec, known := codecs[o.Compression]
	if !known {
		return "", fmt.Errorf("unknown compression %q", o.Compression)
	}
	return fmt.Sprintf("FORMAT parquet, PARQUET_VERSION v1, WRITE_BLOOM_FILTER false, ROW_GROUP_SIZE %d, USE_TMP_FILE false, KV_METADATA {generator: %s}, COMPRESSION %s",
		groupRows, schema.Literal(o.Generator), codec), nil
}

// copy lets DuckDB write a file. If it fails, there is none.
func (l *publication) copy(ctx context.Context, f *written, groupRows int) error {
	format, err := l.copyOptions(groupRows)
	if err == nil {
		f.pending, err = durable.Create(l.name(f.path()))
	}
	if err != nil {
		return f.failed(err)
	}
	found := File{Table: f.table.Name, Path: f.path()}
	found.Rows, found.Oldest, found.Newest, err = l.source.Copy(ctx, f.table, f.start, f.end(), f.pending.Name(), format)
	if err == nil && found.Rows > 0 {
		f.file = &found
		found.Bytes, found.SHA256, err = digest(io.NewSectionReader(f.pending.File, 0, 1<<62))
	}
	if err != nil {
		err = errors.Join(err, f.pending.Abort())
		f.pending = nil
	}
	return f.failed(err)
}

// copyAlone writes a file for which DuckDB lacked memory while it wrote others: with all of
// its memory, and with more if that is still too little.
func (l *publication) copyAlone(ctx context.Context, f *written) error {
	for {
		err := l.copy(ctx, f, fewGroupRows)
		if !duckdb.OutOfMemory(err) {
			return err
		}
		if grown, growing := l.source.GrowAfter(ctx, err); !grown || growing != nil {
			return errors.Join(err, growing)
		}
	}
}

func (f *written) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", f.path(), err)
}

// abort removes what was written and not renamed.
func (l *publication) abort(files []*written) (err error) {
	for _, f := range files {
		if f.pending != nil {
			err = errors.Join(err, f.pending.Abort())
		}
		err = errors.Join(err, l.removeEmpty(path.Dir(f.path())))
	}
	return errors.Join(err, l.syncFolders())
}

// concurrently calls do with each of all, so many at once, until one fails. It waits for
// those that are running and returns the first error.
func concurrently[T any](atOnce int, all []T, do func(T) error) error {
	group, failed := errgroup.WithContext(context.Background())
	group.SetLimit(atOnce)
	for _, one := range all {
		group.Go(func() error {
			defer crash.Exit()
			if failed.Err() != nil {
				return nil
			}
			return do(one)
		})
	}
	return group.Wait()
}
