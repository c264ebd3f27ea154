package extract

import (
	"cmp"
	"context"
	"iter"
	"sync"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
)

const (
	// A split costs half a request: the page it ends with is not full. That pages
	// overlap by a row costs 1%, so a split for each rowsASplit keeps the requests of
	// a sparing job below 1.02 a page. The rows from which on it is split at all pay
	// for those that read no page. A lookback is mostly shorter, and read by one worker.
	rowsASplit  = 8000
	rowsUnsplit = 20_000
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
	// First is the answer to an open job's first request, if Begin has just sent it;
	// otherwise nil.
	First *FirstPage
}

// Page is what one answer gave.
type Page struct {
	Job     int      // index of the job it belongs to
	Records [][]byte // the records' JSON as it was sent; the reader owns it
	// Repeated counts the records left out because the page before had them too,
	// the same in every byte.
	Repeated int
	// Covered is proven complete once these records and those of all earlier
	// pages are stored.
	Covered []checkpoints.Interval
	answer  *api.Answer // whose memory the records are in
}

// Release gives the records' memory back for other pages. The reader may call it
// once nothing of them is needed any more, and need not call it.
func (p Page) Release() {
	if p.answer != nil {
		p.answer.Release()
	}
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
	changed    sync.Cond // queue, active, failure or a walk's remainder changed
	queue      []*walk
	active     map[*walk]struct{}
	idle       int // workers that wait for a walk
	failure    error
	expected   int
	splits     int
	shortfalls []Shortfall
	missing    map[int]error
	warned     map[string]bool
	shortest   int  // rows of a page that was cut short: the take the source honours
	cut        bool // such a page was seen
}

// Walk prepares to read the jobs. Nothing is sent before Pages is ranged over.
func (r *Reader) Walk(jobs []Job) *Walks {
	w := &Walks{
		reader: r, jobs: jobs, out: make(chan Page, r.client.Concurrency()),
		active: map[*walk]struct{}{}, missing: map[int]error{}, warned: map[string]bool{},
		shortest: api.MaxTake,
	}
	w.changed.L = &w.mu
	for i, job := range jobs {
		whole := newWalk(w, i, instant.Of(job.Interval.From), instant.Of(job.Interval.To), job.Open)
		if job.First != nil {
			whole.brought = job.First.answer
		}
		w.queue = append(w.queue, whole)
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
		working, cancel := context.WithCancel(ctx)
		defer cancel()
		var workers sync.WaitGroup
		for range w.reader.client.Concurrency() {
			workers.Go(func() {
				defer crash.Exit()
				w.work(working, cancel)
			})
		}
		stop := context.AfterFunc(working, func() {
			defer crash.Exit()
			w.wake()
		})
		defer stop()
		go func() {
			defer crash.Exit()
			workers.Wait()
			close(w.out)
		}()
		for page := range w.out {
			if !yield(page, nil) {
				cancel()
				for range w.out { // let the workers end
				}
				return
			}
		}
		if err := cmp.Or(ctx.Err(), w.failure); err != nil {
			yield(Page{}, err)
		}
	}
}

func (w *Walks) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// work does one walk after the other. The first failure ends those of the other
// workers too.
func (w *Walks) work(ctx context.Context, cancel func()) {
	for next := w.take(ctx); next != nil; next = w.take(ctx) {
		err := next.runSafely(ctx)
		if w.finish(next, err) {
			cancel()
		}
	}
}

// take waits for a walk to do: one from the queue, or a part of another.
func (w *Walks) take(ctx context.Context) *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil || w.failure != nil:
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

// split cuts the walk with the most rows left, into a part for everybody who waits;
// none if it is not worth it, or not known yet where.
func (w *Walks) split() []*walk {
	spare := (w.expected-rowsUnsplit)/rowsASplit - w.splits
	var largest *walk
	for candidate := range w.active {
		if candidate.bySkip || candidate.remaining < splitRows || (w.jobs[candidate.job].Sparing && spare <= 0) {
			continue
		}
		if largest == nil || candidate.remaining > largest.remaining {
			largest = candidate
		}
	}
	if largest == nil || !largest.divisible() {
		return nil
	}
	most := w.idle + 1
	if w.jobs[largest.job].Sparing {
		most = min(most, spare)
	}
	parts := largest.divide(most)
	w.splits += len(parts)
	return parts
}

// finish notes how a walk ended and reports whether it ends all walks.
func (w *Walks) finish(done *walk, err error) (fatal bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.active, done)
	if err != nil {
		done.announce(0, err)
		kind, _ := api.KindOf(err)
		if kind == api.NotFound && w.jobs[done.job].Query.PolicyPath != "" {
			w.missing[done.job] = err
		} else if w.failure == nil {
			w.failure = err
		}
	}
	w.changed.Broadcast()
	return w.failure != nil
}

func (w *Walks) emit(ctx context.Context, page Page) error {
	select {
	case w.out <- page:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Walks) warnOnce(message string) {
	w.mu.Lock()
	again := w.warned[message]
	w.warned[message] = true
	w.mu.Unlock()
	if !again {
		w.reader.client.Warn(message)
	}
}

func (w *Walks) fallShort(job int, i checkpoints.Interval, missing int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shortfalls = append(w.shortfalls, Shortfall{Job: job, Interval: i, Missing: missing})
}

// learnTake notices a source that gives fewer rows than requested although it has
// more. The lock is held.
func (w *Walks) learnTake(given, left int) {
	if given > 0 && given < left {
		w.shortest, w.cut = min(w.shortest, given), true
	}
}

// full reports whether the page may have been cut short by a take of the source's
// own: then a total that is just as large may be no more than the page's length.
// Until a total larger than its page has shown what that take is, it may be any
// round number.
func (w *Walks) full(page *api.Answer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(page.Rows)
	return n >= w.shortest || (!w.cut && n > 0 && n%10 == 0)
}

// complete reports whether a page that was requested without skip has all that its
// query matches. A total that is not exactly that proves nothing.
func (w *Walks) complete(page *api.Answer) bool {
	return len(page.Rows) == page.Total && !w.full(page)
}

// wants reports whether the row belongs to the job.
func (w *Walks) wants(job int, r api.Row) bool {
	j := w.jobs[job]
	return !r.Dated || (r.At >= instant.Of(j.Interval.From) && (j.Open || r.At < instant.Of(j.Interval.To)))
}
