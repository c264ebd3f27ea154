package pipeline

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
)

// preparer writes the lake's files while a run still reads: that of a day as soon
// as the ledger covers it. Publishing installs what was prepared and has not
// changed since, and writes the rest. It saves time and nothing else: where it
// fails it stops, and publishing says why.
type preparer struct {
	options lake.Options
	done    chan struct{} // closed when the worker has ended

	mu       sync.Mutex
	changed  sync.Cond
	queue    []dueFile
	from     *load.Reader
	versions map[dueFile]int // each commit that touches a partition makes another
	helped   bool            // two work on what is left
	closing  bool

	prepared *lake.Prepared  // the worker's until it has ended
	made     map[dueFile]int // the version of each that was prepared
}

// dueFile is a partition, by its table's name and its start.
type dueFile struct {
	table string
	start time.Time
}

// startPreparer starts the worker, which waits until something is due.
func startPreparer(ctx context.Context, options lake.Options) *preparer {
	p := &preparer{options: options, done: make(chan struct{}), versions: map[dueFile]int{}, made: map[dueFile]int{}}
	p.changed.L = &p.mu
	go func() {
		defer crash.Exit()
		p.work(ctx)
	}()
	return p
}

// touch notes that partitions changed: what was prepared of them is of no use.
func (p *preparer) touch(table *schema.Table, starts []time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, start := range starts {
		p.versions[dueFile{table.Name, start}]++
	}
}

// add asks for the files of partitions, to be read from committed state.
func (p *preparer) add(table *schema.Table, starts []time.Time, from *load.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = from
	for _, start := range starts {
		p.queue = append(p.queue, dueFile{table.Name, start})
	}
	p.changed.Signal()
}

func (p *preparer) work(ctx context.Context) {
	defer close(p.done)
	for table, starts, from := p.next(); len(starts) > 0; table, starts, from = p.next() {
		if err := p.prepare(ctx, table, starts, from); err != nil {
			return
		}
	}
}

// next waits for some partitions of one table.
func (p *preparer) next() (table *schema.Table, starts []time.Time, from *load.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closing {
		p.changed.Wait()
	}
	table, starts = p.some()
	return table, starts, p.from
}

// some takes what is prepared next. The lock is held.
func (p *preparer) some() (table *schema.Table, starts []time.Time) {
	atOnce := 8 // files are synced together
	if p.helped {
		atOnce = 2 // so that both end at the same time
	}
	for !p.closing && len(p.queue) > 0 && len(starts) < atOnce && (table == nil || p.queue[0].table == table.Name) {
		due := p.queue[0]
		p.queue = p.queue[1:]
		table, starts = schema.ByName(due.table), append(starts, due.start)
		p.made[due] = p.versions[due] // its rows are read after this
	}
	return table, starts
}

// readable is committed state that files are made from.
type readable interface {
	Copy(ctx context.Context, table *schema.Table, from, to time.Time, file, options string) (copied bool, err error)
	Rows(ctx context.Context, table *schema.Table, from, to time.Time) iter.Seq2[arrow.RecordBatch, error]
}

// finish prepares what is left through another connection, too, and returns what
// stop does. Nothing may be committed meanwhile.
func (p *preparer) finish(ctx context.Context, from readable) (*lake.Prepared, error) {
	mine, taken := &preparer{options: p.options}, map[*schema.Table][]time.Time{}
	p.mu.Lock()
	p.helped = true
	p.queue = distinct(p.queue)
	p.mu.Unlock()
	for {
		p.mu.Lock()
		table, starts := p.some()
		p.mu.Unlock()
		if len(starts) == 0 {
			break
		}
		taken[table] = append(taken[table], starts...)
		if mine.prepare(ctx, table, starts, from) != nil { // publishing says why
			break
		}
	}
	prepared, err := p.stop()
	if prepared == nil {
		p.prepared = mine.prepared
		return p.prepared, err
	}
	for table, starts := range taken { // the worker may have made them of older rows
		if err == nil {
			err = prepared.Forget(table, starts)
		}
	}
	if mine.prepared != nil {
		err = errors.Join(err, prepared.Add(mine.prepared))
	}
	return prepared, err
}

// distinct leaves one of each.
func distinct(queue []dueFile) (once []dueFile) {
	known := map[dueFile]bool{}
	for _, due := range queue {
		if !known[due] {
			known[due], once = true, append(once, due)
		}
	}
	return once
}

func (p *preparer) prepare(ctx context.Context, table *schema.Table, starts []time.Time, from readable) error {
	if p.prepared != nil { // an older version must not stay if this one fails
		if err := p.prepared.Forget(table, starts); err != nil {
			return err
		}
	}
	more, err := lake.Prepare(ctx, p.options, from, table, starts)
	if err != nil {
		return err
	}
	if p.prepared == nil {
		p.prepared = more
		return nil
	}
	return p.prepared.Add(more)
}

// stop ends the preparation and returns what is of use; nil is nothing. It may be
// called more than once.
func (p *preparer) stop() (*lake.Prepared, error) {
	p.mu.Lock()
	p.closing = true
	p.changed.Signal()
	p.mu.Unlock()
	<-p.done
	if p.prepared == nil {
		return nil, nil
	}
	for due, version := range p.made {
		if version == p.versions[due] {
			continue
		}
		if err := p.prepared.Forget(schema.ByName(due.table), []time.Time{due.start}); err != nil {
			return p.prepared, err
		}
	}
	return p.prepared, nil
}

// readiness tells which days of a list are covered, as the ledger grows.
type readiness struct {
	key     checkpoints.Key
	start   time.Time // of history
	covered checkpoints.Set
	dirty   map[time.Time]bool // days that changed and have no file yet
}

// committed notes what a commit did, and returns the days that are whole now.
func (d *readiness) committed(touched []time.Time, coverage []load.Coverage) (whole []time.Time) {
	for _, c := range coverage {
		if c.Key == d.key && c.Status == checkpoints.Covered {
			d.covered = d.covered.Union(c.Set)
		}
	}
	for _, day := range touched {
		d.dirty[day] = true
	}
	for day := range d.dirty {
		of := checkpoints.Interval{From: day, To: day.AddDate(0, 0, 1)}
		if of.From.Before(d.start) {
			of.From = d.start
		}
		if d.covered.Covers(of) {
			whole = append(whole, day)
			delete(d.dirty, day)
		}
	}
	return whole
}
