package extract

import (
	"context"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/instant"
)

const (
	// stepRetries is how often one step is asked again when its totals do not add up.
	stepRetries = 2
	// walkRetries bounds that for a whole walk, so that a source whose totals
	// are wrong everywhere costs little.
	walkRetries = 10
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
	// walk's own worker changes grain, cursor and open.
	grain     instant.Micros // the resolution the source honours in from and to
	low       instant.Micros // inclusive start of what this walk covers
	cursor    instant.Micros // everything from here up has been received
	open      bool           // no upper bound yet
	remaining int            // rows below the cursor, by the last total
	pace      float64        // microseconds a row, over the last page
	parts     []*walk        // split off since the last question was asked
	awaited   *walk          // the part that has not announced its total yet
	bySkip    bool           // pages by skip now, cannot be split

	parent  *walk
	first   chan struct{} // closed when known
	known   bool
	total   int   // of the first answer
	failure error // why there was no first answer
}

// step is an answer that is waiting for the next one to prove it.
type step struct {
	top   instant.Micros // the cursor when it was asked
	open  bool
	total int
	rows  []row
	edge  instant.Micros // its oldest row, cut to the grain
	crowd bool           // the edge was read whole, by skip
}

// forever is above every timestamp.
const forever = instant.Micros(1 << 62)

func newWalk(pool *Walks, job int, low, high instant.Micros, open bool) *walk {
	w := &walk{
		pool: pool, job: job, low: low, high: high, cursor: high, open: open,
		grain: instant.Millisecond, first: make(chan struct{}),
	}
	if open {
		w.cursor = forever
	}
	return w
}

func (w *walk) query() Query { return w.pool.jobs[w.job].Query }

// run walks until the interval is done.
func (w *walk) run(ctx context.Context) error {
	for {
		done, err := w.stepDown(ctx)
		if done || err != nil {
			return err
		}
	}
}

// question fixes the bounds of the next request, and with them which parts have
// been split off since the last one.
func (w *walk) question() (bounds, []*walk) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	parts := w.parts
	w.parts = nil
	return bounds{from: w.low - w.grain, to: w.cursor, open: w.open}, parts
}

// stepDown asks one question and settles the step before it.
func (w *walk) stepDown(ctx context.Context) (done bool, err error) {
	asked, parts := w.question()
	page, err := w.ask(ctx, asked, 0)
	if err != nil {
		return false, err
	}
	if w.coarser(page) {
		return true, w.readByDate(ctx)
	}
	if w.prev != nil && !w.overlaps(page) {
		return w.missedEdge(ctx, parts)
	}
	covered, ok, err := w.settle(ctx, page, parts)
	if err != nil || !ok {
		return false, err
	}
	return w.advance(ctx, page, covered)
}

// ask requests one page and tells the pool what it learned.
func (w *walk) ask(ctx context.Context, b bounds, skip int) (*answer, error) {
	page, err := w.pool.client.page(ctx, w.query(), b, skip, MaxTake)
	if err != nil {
		return nil, err
	}
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.announce(page.total, nil)
	return page, nil
}

// coarser notices rows outside the bounds that were asked: the source keeps
// less of a bound than it was given. Seconds are dealt with by rounding; beyond
// that it knows only dates, and coarser reports true.
func (w *walk) coarser(page *answer) bool {
	for _, r := range page.rows {
		if !r.ok {
			continue
		}
		for r.at < page.from || (!page.open && r.at >= page.to+w.grain) {
			if w.grain >= instant.Second {
				return true
			}
			w.setGrain(instant.Second)
			page.from -= instant.Second
		}
	}
	return false
}

// overlaps reports whether the page begins where the last one ended. A source
// that cut our bound down would leave a gap exactly there.
func (w *walk) overlaps(page *answer) bool {
	if w.prev.crowd {
		return true
	}
	for _, r := range page.rows {
		if r.ok && r.at.Floor(w.grain) == w.prev.edge.Floor(w.grain) {
			return true
		}
	}
	return false
}

// missedEdge handles a page that lacks the oldest row of the page before it:
// the source rounds bounds down to seconds, or to dates, or the row is gone.
func (w *walk) missedEdge(ctx context.Context, parts []*walk) (done bool, err error) {
	if w.grain < instant.Second {
		w.setGrain(instant.Second)
		w.moveTo(w.prev.edge.Floor(instant.Second)+instant.Second, false, parts)
		return false, nil
	}
	before, err := w.ask(ctx, bounds{from: w.lowest() - w.grain, to: w.prev.top, open: w.prev.open}, 0)
	if err != nil {
		return false, err
	}
	for _, r := range before.rows {
		if r.ok && r.at.Floor(w.grain) == w.prev.edge.Floor(w.grain) {
			return true, w.readByDate(ctx) // the row is there: our bound was cut
		}
	}
	w.setGrain(instant.Millisecond)
	w.moveTo(w.prev.top, w.prev.open, nil)
	w.prev = nil
	return false, nil
}

func (w *walk) setGrain(grain instant.Micros) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.grain = grain
}

func (w *walk) lowest() instant.Micros {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	return w.low
}

// moveTo sets the cursor. Parts that the discarded question had claimed go back.
func (w *walk) moveTo(cursor instant.Micros, open bool, parts []*walk) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor, w.open = cursor, open
	w.parts = append(parts, w.parts...)
}

// settle proves the step from the last answer to this one: what the last one
// counted must be what only it gave, plus what this one counts, plus what the
// parts split off in between count. If it does not add up, rows were deleted or
// lost: the step is asked again, and in the end left uncovered. ok is false when
// the walk has gone back and this page is to be forgotten.
func (w *walk) settle(ctx context.Context, page *answer, parts []*walk) (covered []checkpoints.Interval, ok bool, err error) {
	if w.prev == nil {
		return nil, true, nil
	}
	held := page.total + countAbove(w.prev.rows, page)
	for _, part := range parts {
		select {
		case <-part.first:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if part.failure != nil {
			return nil, false, part.failure
		}
		held += part.total
	}
	proven := w.within(page.to, w.prev.top)
	if held >= w.prev.total {
		w.again = 0
		return []checkpoints.Interval{proven}, true, nil
	}
	if w.mayRetry() {
		w.moveTo(w.prev.top, w.prev.open, nil)
		w.prev = nil
		return nil, false, nil
	}
	w.again = 0
	w.pool.fallShort(w.job, proven, w.prev.total-held)
	return nil, true, nil
}

func (w *walk) mayRetry() bool {
	if w.again >= stepRetries || w.retries >= walkRetries {
		return false
	}
	w.again++
	w.retries++
	return true
}

// countAbove counts the rows that the next page cannot have counted: they lie at
// or above its upper bound and it did not give them.
func countAbove(rows []row, next *answer) int {
	given := make(map[string]struct{}, len(next.rows))
	for _, r := range next.rows {
		given[r.key()] = struct{}{}
	}
	count := 0
	for _, r := range rows {
		if _, again := given[r.key()]; !again && (!r.ok || r.at >= next.to) {
			count++
		}
	}
	return count
}

// key identifies a record among others; without an id, by its text.
func (r row) key() string {
	if r.id != "" {
		return r.id
	}
	return string(r.raw)
}

// within is the part of a stretch of time that this walk answers for. It is
// empty for rows dated after the walk's end.
func (w *walk) within(from, to instant.Micros) checkpoints.Interval {
	from, to = max(from, w.lowest()), min(to, w.high)
	return checkpoints.Interval{From: from.Time(), To: max(from, to).Time()}
}

// advance yields the page and moves the cursor below it.
func (w *walk) advance(ctx context.Context, page *answer, covered []checkpoints.Interval) (done bool, err error) {
	oldest, dated := page.oldest()
	full := len(page.rows) >= MaxTake
	last := !full && len(page.rows) >= page.total
	if last {
		covered = append(covered, w.within(w.lowest(), page.top()))
	}
	if err := w.yield(ctx, page.rows, covered); err != nil {
		return false, err
	}
	switch {
	case last:
		return true, nil
	case len(page.rows) == 0:
		return w.nothingGiven(page), nil
	case !dated:
		return true, w.readRestBySkip(ctx, page)
	}
	edge := oldest.Floor(w.grain)
	w.prev = &step{top: page.top(), open: page.open, total: page.total, rows: page.rows, edge: edge}
	if next := edge + w.grain; page.open || next < page.to {
		w.descend(next, oldest, page)
		return false, nil
	}
	return w.readCrowd(ctx, page, edge)
}

// top is where the page's stretch of time ends.
func (a *answer) top() instant.Micros {
	if a.open {
		return forever
	}
	return a.to
}

func (w *walk) descend(next, oldest instant.Micros, page *answer) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor, w.open = next, false
	w.remaining = max(0, page.total-len(page.rows))
	for _, part := range w.parts {
		if part.known {
			w.remaining = max(0, w.remaining-part.total)
		}
	}
	newest, _ := page.newest()
	w.pace = float64(max(newest-oldest, 1)) / float64(len(page.rows))
	w.pool.changed.Broadcast()
}

// nothingGiven handles an empty page whose total is not zero.
func (w *walk) nothingGiven(page *answer) (done bool) {
	w.prev = nil
	if w.mayRetry() {
		return false
	}
	w.pool.fallShort(w.job, w.within(w.lowest(), page.top()), page.total)
	return true
}

func (w *walk) yield(ctx context.Context, rows []row, covered []checkpoints.Interval) error {
	records := make([][]byte, len(rows))
	for i, r := range rows {
		records[i] = r.raw
	}
	return w.pool.emit(ctx, Page{Job: w.job, Records: records, Covered: nonEmpty(covered)})
}

func nonEmpty(intervals []checkpoints.Interval) []checkpoints.Interval {
	kept := intervals[:0]
	for _, i := range intervals {
		if !i.Empty() {
			kept = append(kept, i)
		}
	}
	return kept
}
