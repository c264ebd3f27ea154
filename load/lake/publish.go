package lake

import (
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

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
	root     *os.Root        // of Dir: nothing outside is touched, whatever links lie there
	renewed  map[string]bool // folders that got or lost a folder and are not synced yet
	manifest *Manifest
	result   Result
}

// Publish writes every partition that changed, or whose file is missing, and
// then the manifest. If it fails, no partition counts as published.
func Publish(ctx context.Context, options Options, from source) (Result, error) {
	l := &publication{
		Options: options, source: from, renewed: map[string]bool{},
		result: Result{Written: map[*schema.Table][]time.Time{}},
	}
	if err := l.openRoot(); err != nil {
		return Result{}, err
	}
	defer func() { _ = l.root.Close() }()
	if err := l.publish(ctx); err != nil {
		return Result{}, err
	}
	return l.result, nil
}

func (l *publication) publish(ctx context.Context) error {
	if err := durable.Sweep(l.Dir); err != nil {
		return err
	}
	due, err := l.due(ctx)
	if err != nil {
		return err
	}
	for _, partitions := range due {
		for _, group := range ranges(partitions) {
			if err := l.writeRange(ctx, group); err != nil {
				return fmt.Errorf("publish %s: %w", group[0].path(), err)
			}
		}
	}
	if l.result.Files == 0 && !l.Refresh {
		return nil
	}
	if err := l.syncFolders(); err != nil {
		return err
	}
	l.result.Changed = true
	return l.manifest.write(l.Options)
}

// writeRange reads neighbouring partitions in one sorted pass and cuts it into
// files.
func (l *publication) writeRange(ctx context.Context, group []partition) error {
	c := &cutter{publication: l, group: group}
	defer c.abort()
	end := group[len(group)-1].end()
	for rows, err := range l.source.Rows(ctx, group[0].table, group[0].start, end) {
		if err != nil {
			return err
		}
		if err := c.cut(rows); err != nil {
			return err
		}
	}
	return c.turn(end)
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
	if err := l.removeFile(p.path()); err != nil {
		return err
	}
	l.done(p, nil)
	return nil
}
