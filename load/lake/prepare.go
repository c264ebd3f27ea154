package lake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// rows is the committed state that files are made from.
type rows interface {
	// Copy writes the rows of [from, to), sorted by time and key, to a file that is
	// there already, with these options of DuckDB's COPY. It declines what is too
	// much for DuckDB's memory.
	Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (copied bool, err error)
	// Rows yields the rows of [from, to) in the same order.
	Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error]
}

// Prepared are files that were written beside their places, synced and described,
// to be installed by Publish. It is used by one goroutine. Discard may be deferred
// in any case; a crash leaves files that durable.Sweep removes.
type Prepared struct {
	folders
	files []prepared
	// whole: also what DuckDB declines to copy is written, which takes more memory.
	whole bool
}

// prepared is the file of a partition, or that it has no rows and gets none.
type prepared struct {
	partition
	pending *durable.File
	file    *File
}

// Prepare writes the files of partitions of a table, given by their starts, but for
// those that DuckDB declines to copy, which are left to Publish. They show what was
// committed when their rows were read: what is committed afterwards is for the caller
// to Forget.
func Prepare(ctx context.Context, options Options, from rows, table *schema.Table, starts []time.Time) (*Prepared, error) {
	opened, err := openFolders(options.Dir)
	if err != nil {
		return nil, err
	}
	p := &Prepared{folders: opened}
	if err := p.write(ctx, options, from, partitionsOf(table, slices.Clone(starts))); err != nil {
		return nil, errors.Join(err, p.Discard())
	}
	return p, nil
}

// Add takes over the files of another one, which is of no use afterwards.
func (p *Prepared) Add(other *Prepared) error {
	for folder := range other.renewed {
		p.renewed[folder] = true
	}
	p.files = append(p.files, other.files...)
	other.files = nil
	return other.Discard()
}

// Forget discards the files of partitions that changed since they were prepared.
func (p *Prepared) Forget(table *schema.Table, starts []time.Time) error {
	return p.discard(func(f prepared) bool {
		return f.table.Name == table.Name && slices.ContainsFunc(starts, f.start.Equal)
	})
}

// Discard removes what was prepared and not installed.
func (p *Prepared) Discard() error {
	if p.root == nil {
		return nil
	}
	err := errors.Join(p.discard(func(prepared) bool { return true }), p.syncFolders(), p.root.Close())
	p.root = nil
	return err
}

func (p *Prepared) discard(which func(prepared) bool) (err error) {
	kept := p.files[:0]
	for _, f := range p.files {
		if !which(f) {
			kept = append(kept, f)
			continue
		}
		err = errors.Join(err, f.pending.Abort(), p.removeEmpty(path.Dir(f.path())))
	}
	p.files = kept
	return err
}

// keep discards the files of partitions that are not due.
func (p *Prepared) keep(due [][]partition) error {
	wanted := map[string]bool{}
	for _, partitions := range due {
		for _, part := range partitions {
			wanted[part.path()] = true
		}
	}
	return p.discard(func(f prepared) bool { return !wanted[f.path()] })
}

// lacking are the partitions that nothing was prepared for.
func (p *Prepared) lacking(partitions []partition) []partition {
	made := map[string]bool{}
	for _, f := range p.files {
		made[f.path()] = true
	}
	return slices.DeleteFunc(slices.Clone(partitions), func(part partition) bool { return made[part.path()] })
}

// write writes the partitions' files, and then syncs them at once: disks take
// many syncs in little more time than one.
func (p *Prepared) write(ctx context.Context, options Options, from rows, partitions []partition) error {
	first := len(p.files)
	for _, part := range partitions {
		if err := p.writeOne(ctx, options, from, part); err != nil {
			return fmt.Errorf("write %s: %w", part.path(), err)
		}
	}
	return concurrently(p.files[first:], func(f prepared) error { return f.pending.Finish() })
}

func (p *Prepared) writeOne(ctx context.Context, options Options, from rows, part partition) error {
	format, err := options.copyOptions()
	if err != nil {
		return err
	}
	if err := p.makeFolder(path.Dir(part.path())); err != nil {
		return err
	}
	pending, err := p.create(part)
	if err != nil {
		return err
	}
	copied, err := from.Copy(ctx, part.table, part.start, part.end(), pending.Name(), format)
	if err == nil && !copied {
		if !p.whole {
			return p.discard(func(f prepared) bool { return f.path() == part.path() })
		}
		// DuckDB removes the file of a COPY that failed, so there is need of another.
		if pending, err = p.create(part); err == nil {
			err = options.writeRows(ctx, from, part, pending)
		}
	}
	if err != nil {
		return err
	}
	p.files[len(p.files)-1].file, err = describe(part, pending.File)
	return err
}

// create begins a partition's file, in place of one that was begun before. It is
// discarded with all others if anything fails.
func (p *Prepared) create(part partition) (*durable.File, error) {
	if last := len(p.files) - 1; last >= 0 && p.files[last].path() == part.path() {
		if err := p.files[last].pending.Abort(); err != nil {
			return nil, err
		}
		p.files = p.files[:last]
	}
	pending, err := durable.Create(p.name(part.path()))
	if err != nil {
		return nil, err
	}
	p.files = append(p.files, prepared{partition: part, pending: pending})
	return pending, nil
}

// atOnce is how many files are synced at once.
const atOnce = 16

// concurrently waits for all and returns what went wrong.
func concurrently[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i, one := range all {
		slots <- struct{}{}
		running.Go(func() {
			defer crash.Exit()
			defer func() { <-slots }()
			errs[i] = do(one)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
