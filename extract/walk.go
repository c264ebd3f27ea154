package extract

import (
	"context"
	"errors"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
)

// walk reads one interval from its newest row to its oldest.
type walk struct {
	pool *Walks
	job  int
	high instant.Micros // exclusive end of what this walk covers

	prev    *step // the last answer, whose step down is not proven yet
	retries int   // of this walk
	again   int   // of this step

	// Guarded by the pool's lock, since other workers split the walk. Only the
	// walk's own worker changes resolution and cursor.
	resolution instant.Micros // the resolution the source honours in from and to; 0 is unknown
	low        instant.Micros // inclusive start of what this walk covers
	cursor     instant.Micros // everything from here up has been received
	remaining  int            // rows below the cursor: by the last total, or a guess until the first
	pace       float64        // microseconds a row, over the last page
	parts      []*walk        // split off since the last request
	awaited    int            // parts that have not announced their totals yet

	parent    *walk
	announced chan struct{} // closed when total or failure is known
	known     bool
	total     int   // of the first answer
	failure   error // why there was no first answer
}

// step is an answer that is waiting for the next one to prove it.
type step struct {
	top   instant.Micros // the cursor when it was requested
	total int
	rows  []api.Row
}

func newWalk(pool *Walks, job int, low, high instant.Micros, open bool) *walk {
	w := &walk{pool: pool, job: job, low: low, high: high, cursor: high, announced: make(chan struct{})}
	if open {
		w.cursor = forever
	}
	return w
}

func (w *walk) query() api.Query { return w.pool.jobs[w.job].Query }

// runSafely turns a mistake of ours into a failure of this stream, so that it
// takes neither the other streams nor what was received with it.
func (w *walk) runSafely(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New(crash.Report(p))
		}
	}()
	if w.low >= w.cursor {
		return nil
	}
	done, err := w.begin(ctx)
	for !done && err == nil {
		done, err = w.stepDown(ctx)
	}
	return err
}

// stepDown requests one page and proves the step before it.
func (w *walk) stepDown(ctx context.Context) (done bool, err error) {
	w.pool.mu.Lock()
	bounds, parts := around(w.low, w.cursor, w.resolution), w.parts
	w.parts = nil
	w.pool.mu.Unlock()
	page, err := w.request(ctx, bounds, 0)
	if err != nil {
		return false, err
	}
	covered, ok, err := w.prove(ctx, page, parts)
	if err != nil || !ok {
		return false, err
	}
	return w.advance(ctx, page, covered)
}

// request requests one page and notes what it shows.
func (w *walk) request(ctx context.Context, b api.Bounds, skip int) (*api.Answer, error) {
	page, err := w.pool.reader.client.List(ctx, w.query(), b, skip, api.MaxTake)
	if err != nil {
		return nil, err
	}
	w.learn(page, skip)
	return page, nil
}

func (w *walk) learn(page *api.Answer, skip int) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.pool.learnTake(len(page.Rows), page.Total-skip)
	w.announce(page.Total, nil)
}

func (w *walk) lowest() instant.Micros {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	return w.low
}

// moveTo sets the cursor.
func (w *walk) moveTo(cursor instant.Micros) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor = cursor
}

// advance yields the page and moves the cursor below it.
func (w *walk) advance(ctx context.Context, page *api.Answer, covered checkpoints.Interval) (done bool, err error) {
	if w.pool.complete(page) {
		return true, w.yield(ctx, page, covered, w.within(w.lowest(), w.cursor))
	}
	if err := w.yield(ctx, page, covered); err != nil {
		return false, err
	}
	switch {
	case w.cursor <= w.lowest(): // it was requested only to prove the step before it
		return true, nil
	case len(page.Rows) == 0:
		return w.nothingGiven(page), nil
	}
	w.prev = &step{top: w.cursor, total: page.Total, rows: page.Rows}
	return w.below(ctx, page)
}

// below finds the way on from a page. A row from outside its bounds is no way down. If
// rows from above them leave none, the source compares in coarser units than is known:
// that loses nothing, and the step is requested again in these.
func (w *walk) below(ctx context.Context, page *api.Answer) (done bool, err error) {
	room := w.resolution
	if room == instant.Day {
		room += instant.Day // it may count days in its own time zone
	}
	oldest, inside := oldestWithin(page, page.From-room, page.To+room)
	newest, dated := page.Newest()
	next := oldest.Floor(w.resolution) + w.resolution
	switch {
	case !dated:
		return w.readBySkip(ctx, w.lowest(), w.cursor)
	case newest < w.lowest():
		return true, w.yield(ctx, nil, w.within(w.lowest(), w.cursor))
	case inside && next < min(w.cursor, api.MaxBound):
		w.descend(next, oldest, page)
		return false, nil
	case newest >= page.To+room && w.resolution < instant.Day:
		w.coarsen()
		return false, nil
	case !inside:
		return false, w.ignored("it gave only rows from outside %s to %s", page.From.Format(), page.To.Format())
	}
	return w.readDense(ctx, oldest)
}

// descend moves the cursor below a page, but no further than to the start of the walk.
func (w *walk) descend(next, oldest instant.Micros, page *api.Answer) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor = max(next, w.low)
	w.remaining = max(0, page.Total-len(page.Rows))
	for _, part := range w.parts {
		if part.known {
			w.remaining = max(0, w.remaining-part.total)
		}
	}
	newest, _ := page.Newest()
	w.pace = float64(max(newest-oldest, 1)) / float64(len(page.Rows))
	w.pool.changed.Broadcast()
}

// nothingGiven handles an empty page whose total is not zero.
func (w *walk) nothingGiven(page *api.Answer) (done bool) {
	w.prev = nil
	if w.mayRepeat() {
		return false
	}
	w.pool.fallShort(w.job, w.within(w.lowest(), w.cursor), page.Total)
	return true
}
