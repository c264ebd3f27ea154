package extract

import (
	"cmp"
	"context"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// Job is one interval to be read with one query.
type Job struct {
	Query    api.Query
	Interval checkpoints.Interval
	// Open requests without an upper bound: rows dated after Interval.To are
	// yielded too, but nothing beyond Interval.To is reported as covered. Such an
	// interval begins at a whole second.
	Open bool
	// Sparing jobs cost few requests rather than little time, since most of their rows
	// are known already.
	Sparing bool
}

// Page is what one answer gave.
type Page struct {
	Job     int      // index of the job it belongs to
	Records [][]byte // the records' JSON as it was sent, not to be changed
	// Repeated counts the records left out because the page before had them too,
	// the same in every byte.
	Repeated int
	// Covered is proven complete once these records and those of all earlier
	// pages are stored.
	Covered []checkpoints.Interval
}

// Shortfall is an interval that stayed incomplete although it was read again.
type Shortfall struct {
	Job      int
	Interval checkpoints.Interval
	Missing  int // rows that the source counts and does not give
}

// Walks reads jobs with as many workers as the client has connections. Workers
// without a job take parts of the largest remaining interval, so that one long
// backfill uses all connections and many short ones cost few requests.
type Walks struct {
	reader *Reader
	jobs   []Job
	out    chan Page

	mu         sync.Mutex
	changed    sync.Cond // queue, active or a walk's remainder changed
	queue      []*walk
	active     map[*walk]struct{}
	idle       int // workers that wait for a walk
	expected   int
	shortfalls []Shortfall
	missing    map[int]error
	shortest   int  // rows of a page that was cut short: the take the source honours
	cut        bool // such a page was seen
}

// Walk prepares to read the jobs. Nothing is sent before Pages is ranged over.
func (r *Reader) Walk(jobs []Job) *Walks {
	w := &Walks{
		reader: r, jobs: jobs, out: make(chan Page, r.client.Concurrency()),
		active: map[*walk]struct{}{}, missing: map[int]error{},
		shortest: api.MaxTake,
	}
	w.changed.L = &w.mu
	for i, job := range jobs {
		w.queue = append(w.queue, newWalk(w, i, instant.Of(job.Interval.From), instant.Of(job.Interval.To), job.Open))
	}
	return w
}

// Expected is the number of rows that the jobs' first answers announced so far.
func (w *Walks) Expected() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.expected
}

// Shortfalls lists what stayed incomplete. Valid after Pages has ended.
func (w *Walks) Shortfalls() []Shortfall { return w.shortfalls }

// NotFound lists, by index, the by-policy jobs whose policy the source does not
// know. Valid after Pages has ended.
func (w *Walks) NotFound() map[int]error { return w.missing }

// Pages yields pages until all jobs are done or one fails. A failure is yielded
// last, with an empty page. It may be ranged over once.
func (w *Walks) Pages(ctx context.Context) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		wanted, stop := context.WithCancel(ctx)
		defer stop()
		failure := w.start(wanted)
		wants := true
		for page := range w.out {
			if wants = wants && yield(page, nil); !wants {
				stop() // and let the workers end
			}
		}
		if err := cmp.Or(ctx.Err(), <-failure); err != nil && wants {
			yield(Page{}, err)
		}
	}
}

// start starts the workers. When all have ended it closes the channel of pages, and gives
// the first failure, which ends the walks of all workers.
func (w *Walks) start(ctx context.Context) (failure chan error) {
	workers, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, func() {
		defer crash.Exit()
		w.wake()
	})
	for range w.reader.client.Concurrency() {
		workers.Go(func() error {
			defer crash.Exit()
			return w.work(ctx)
		})
	}
	failure = make(chan error, 1)
	go func() {
		defer crash.Exit()
		failure <- workers.Wait()
		close(w.out)
	}()
	return failure
}

func (w *Walks) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// work does one walk after the other.
func (w *Walks) work(ctx context.Context) error {
	for next := w.take(ctx); next != nil; next = w.take(ctx) {
		if err := w.finish(next, next.runSafely(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// take waits for a walk to do: one from the queue, or a part of another.
func (w *Walks) take(ctx context.Context) *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return nil
		case len(w.queue) > 0:
			next := w.queue[0]
			w.queue = w.queue[1:]
			w.active[next] = struct{}{}
			return next
		case len(w.active) == 0:
			return nil
		}
		if w.queue = w.split(); len(w.queue) > 0 {
			w.changed.Broadcast() // one part for each who waits
			continue
		}
		w.idle++
		w.changed.Wait()
		w.idle--
	}
}

// finish notes how a walk ended. It returns the failure if that ends all walks.
func (w *Walks) finish(done *walk, err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.active, done)
	w.changed.Broadcast()
	if err == nil {
		return nil
	}
	done.announce(0, err)
	if api.KindOf(err) == api.NotFound && w.jobs[done.job].Query.PolicyPath != "" {
		w.missing[done.job] = err
		return nil
	}
	return err
}

func (w *Walks) emit(ctx context.Context, page Page) error {
	select {
	case w.out <- page:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Walks) fallShort(job int, i checkpoints.Interval, missing int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shortfalls = append(w.shortfalls, Shortfall{Job: job, Interval: i, Missing: missing})
}
