package lake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// rows is the committed state that files are made from.
type rows interface {
	// Copy writes the rows of [from, to), sorted by time and key, to a file that exists,
	// with these options of DuckDB's COPY. It copies nothing if DuckDB's memory is too
	// small. Several goroutines call it at once.
	Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (copied bool, err error)
	// Rows yields the rows of [from, to) in the same order, to one goroutine.
	Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error]
}

// written is the new file of a partition under its temporary name.
type written struct {
	partition
	pending *durable.File // nil: DuckDB declined to write it
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
	if err := concurrently(writers(), files, func(f *written) error { return l.copy(ctx, f) }); err != nil {
		return files, err
	}
	for _, f := range files {
		if f.pending != nil {
			continue
		}
		if err := l.writeAlone(ctx, f); err != nil {
			return files, err
		}
	}
	return files, concurrently(syncers, files, func(f *written) error { return f.pending.Finish() })
}

// copy lets DuckDB write a file, if it does not decline.
func (l *publication) copy(ctx context.Context, f *written) error {
	format, err := l.copyOptions()
	if err == nil {
		f.pending, err = durable.Create(l.name(f.path()))
	}
	if err != nil {
		return f.failed(err)
	}
	copied, err := l.source.Copy(ctx, f.table, f.start, f.end(), f.pending.Name(), format)
	if err == nil && !copied { // DuckDB removes the file of a COPY that failed
		err, f.pending = f.pending.Abort(), nil
	}
	if err == nil && copied {
		f.file, err = describe(f.partition, f.pending.File)
	}
	return f.failed(err)
}

// writeAlone writes a file that DuckDB declined while it wrote others: with all of
// its memory it may not decline, and if it does the file is written without it.
func (l *publication) writeAlone(ctx context.Context, f *written) error {
	if err := l.copy(ctx, f); err != nil || f.pending != nil {
		return err
	}
	var err error
	if f.pending, err = durable.Create(l.name(f.path())); err == nil {
		err = l.writeRows(ctx, f.partition, f.pending)
	}
	if err == nil {
		f.file, err = describe(f.partition, f.pending.File)
	}
	return f.failed(err)
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
// those that are running and returns all errors.
func concurrently[T any](atOnce int, all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var running sync.WaitGroup
	var next atomic.Int64
	var failed atomic.Bool
	for range min(atOnce, len(all)) {
		running.Go(func() {
			defer crash.Exit()
			for i := next.Add(1) - 1; i < int64(len(all)) && !failed.Load(); i = next.Add(1) - 1 {
				if errs[i] = do(all[i]); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
