package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// source is the committed state that files are made from.
type source interface {
	// Changed lists the partitions committed to since they were published last.
	Changed(ctx context.Context, table *schema.Table) ([]time.Time, error)
	// Partitions lists all partitions that hold rows.
	Partitions(ctx context.Context, table *schema.Table) ([]time.Time, error)
	// Rows yields the rows of [from, to) in order of time.
	Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error]
}

// Options say where the lake is and how it is written.
type Options struct {
	Dir         string // data_dir/lake
	Compression string // zstd, snappy or none
	Generator   string // name and release, noted in every file
	Now         time.Time
	Coverage    []Coverage
	// Refresh writes the manifest even if no file changed.
	Refresh bool
}

// Result says what was published.
type Result struct {
	Written map[*schema.Table][]time.Time // partitions that are up to date now
	Files   int                           // Parquet files written or removed
	Bytes   int64                         // written
	Changed bool                          // whether anything was written at all
}

// publication is one run of Publish.
type publication struct {
	Options
	source   source
	manifest *Manifest
	result   Result
}

// Publish writes every partition that changed, or whose file is missing, and
// then the manifest.
func Publish(ctx context.Context, options Options, from source) (Result, error) {
	l := &publication{Options: options, source: from, result: Result{Written: map[*schema.Table][]time.Time{}}}
	if err := os.MkdirAll(options.Dir, 0o750); err != nil {
		return l.result, err
	}
	if err := durable.Sweep(options.Dir); err != nil {
		return l.result, err
	}
	due, err := l.due(ctx)
	if err != nil {
		return l.result, err
	}
	for _, partitions := range due {
		for _, group := range ranges(partitions) {
			if err := l.writeRange(ctx, group); err != nil {
				return l.result, fmt.Errorf("publish %s: %w", group[0].path(), err)
			}
		}
	}
	if l.result.Files == 0 && !options.Refresh {
		return l.result, nil
	}
	l.manifest.Format, l.manifest.Generator, l.manifest.GeneratedAt = 1, options.Generator, options.Now.UTC()
	l.manifest.Coverage = options.Coverage
	l.result.Changed = true
	return l.result, l.manifest.write(options.Dir)
}

// due lists, for each table, the partitions to write, in order of time. Without a
// readable manifest that is all of them.
func (l *publication) due(ctx context.Context) ([][]partition, error) {
	manifest, err := ReadManifest(l.Dir)
	listed, damaged := l.source.Changed, []File(nil)
	if err != nil {
		manifest, listed, l.Refresh = &Manifest{}, l.source.Partitions, true
	} else if damaged, err = manifest.missing(l.Dir); err != nil {
		return nil, err
	}
	l.manifest = manifest
	var due [][]partition
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned {
			continue
		}
		starts, err := listed(ctx, table)
		if err != nil {
			return nil, err
		}
		for _, file := range damaged {
			if file.Table == table.Name {
				starts = append(starts, startOf(table, file.Oldest))
			}
		}
		due = append(due, partitionsOf(table, starts))
	}
	return due, nil
}

func partitionsOf(table *schema.Table, starts []time.Time) []partition {
	sort.Slice(starts, func(i, j int) bool { return starts[i].Before(starts[j]) })
	starts = slices.CompactFunc(starts, time.Time.Equal)
	partitions := make([]partition, len(starts))
	for i, start := range starts {
		partitions[i] = partition{table, start}
	}
	return partitions
}

// writeRange reads neighbouring partitions in one sorted pass and cuts it into
// files.
func (l *publication) writeRange(ctx context.Context, group []partition) error {
	var open *writer
	defer func() {
		if open != nil {
			_ = open.abort()
		}
	}()
	table, next := group[0].table, 0
	for rows, err := range l.source.Rows(ctx, table, group[0].start, group[len(group)-1].end()) {
		if err != nil {
			return err
		}
		for from := 0; from < int(rows.NumRows()); {
			times := rows.Column(rows.Schema().FieldIndices(table.Time)[0]).(*array.Timestamp)
			if open == nil || !timeAt(times, from).Before(open.partition.end()) {
				if next, err = l.turn(&open, group, next, timeAt(times, from)); err != nil {
					return err
				}
			}
			to := from + sort.Search(times.Len()-from, func(i int) bool {
				return !timeAt(times, from+i).Before(open.partition.end())
			})
			part := rows.NewSlice(int64(from), int64(to))
			err := open.write(part)
			part.Release()
			if err != nil {
				return err
			}
			from = to
		}
	}
	_, err := l.turn(&open, group, next, group[len(group)-1].end())
	return err
}

// turn finishes the open file, removes the files of partitions that have no rows
// any more, and opens the file of the partition that holds at.
func (l *publication) turn(open **writer, group []partition, next int, at time.Time) (int, error) {
	if *open != nil {
		file, err := (*open).commit()
		*open = nil
		if err != nil {
			return next, err
		}
		l.done(group[next-1], file)
	}
	for ; next < len(group); next++ {
		if at.Before(group[next].end()) {
			w, err := l.create(group[next])
			*open = w
			return next + 1, err
		}
		if err := l.drop(group[next]); err != nil {
			return next, err
		}
	}
	return next, nil
}

func (l *publication) done(p partition, file *File) {
	l.manifest.replace(p.path(), file)
	l.result.Written[p.table] = append(l.result.Written[p.table], p.start)
	l.result.Files++
	if file != nil {
		l.result.Bytes += file.Bytes
	}
}

func (l *publication) drop(p partition) error {
	err := os.Remove(filepath.Join(l.Dir, filepath.FromSlash(p.path())))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l.done(p, nil)
	return nil
}
