package extract

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
	"github.com/flashback-sync/flashback-sync/internal/crash"
)

const (
	// stepRetries is how often one step is requested again when its totals do not add up.
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

	prev    *step       // the last answer, whose step down is not proven yet
	brought *api.Answer // to the first request; nil once it was used
	retries int         // of this walk
	again   int         // of this step

	// Guarded by the pool's lock, since other workers split the walk. Only the
	// walk's own worker changes resolution, cursor and open.
	resolution instant.Micros // the resolution the source honours in from and to; 0 is unknown
	low        instant.Micros // inclusive start of what this walk covers
	cursor     instant.Micros // everything from here up has been received
	open       bool           // no upper bound yet
	remaining  int            // rows below the cursor: by the last total, or a guess until the first
	pace       float64        // microseconds a row, over the last page
	parts      []*walk        // split off since the last request
	awaited    int            // parts that have not announced their totals yet
	bySkip     bool           // pages by skip now, cannot be split

	parent  *walk
	first   chan struct{} // closed when known
	known   bool
	total   int   // of the first answer
	failure error // why there was no first answer
}

// step is an answer that is waiting for the next one to prove it.
type step struct {
	top   instant.Micros // the cursor when it was requested
	open  bool
	total int
	rows  []api.Row
	last  []api.Row // of these, with their records, those that the next answer may repeat
}

// lastRows copies the rows of a page that the next one may have, too.
func lastRows(a *api.Answer, oldest, resolution instant.Micros) (last []api.Row) {
	for _, r := range a.Rows {
		if r.Dated && r.At <= oldest+2*resolution {
			r.Raw = bytes.Clone(r.Raw)
			last = append(last, r)
		}
	}
	return last
}

// gave reports whether the answer had the same record, byte for byte.
func (s *step) gave(r api.Row) bool {
	return s != nil && slices.ContainsFunc(s.last, func(given api.Row) bool { return given.At == r.At && bytes.Equal(given.Raw, r.Raw) })
}

func newWalk(pool *Walks, job int, low, high instant.Micros, open bool) *walk {
	w := &walk{pool: pool, job: job, low: low, high: high, cursor: high, open: open, first: make(chan struct{})}
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
	return w.run(ctx)
}

// run walks until the interval is done.
func (w *walk) run(ctx context.Context) error {
	if w.low >= w.high && !w.open {
		return nil
	}
	done, err := w.begin(ctx)
	for !done && err == nil {
		done, err = w.stepDown(ctx)
	}
	return err
}

// begin learns the resolution of the source if it is not known yet. Without an upper
// bound the first request may use milliseconds: what the source cuts off the lower
// bound only adds rows. Otherwise a row that was seen before shows the resolution;
// without one the first request asks for whole days. One assumption is not checked, so
// that a quiet night costs one request: an answer without any row is believed. It could
// hide rows of the first day if a source compared dates only and excluded the day of
// from; that has never been seen.
func (w *walk) begin(ctx context.Context) (done bool, err error) {
	if w.resolution != 0 {
		return false, nil // the one it was split off from knew
	}
	reader, query := w.pool.reader, w.query()
	if resolution, err := reader.resolution(ctx, query, !w.open); err != nil || resolution != 0 {
		if err != nil {
			return false, err
		}
		return w.adopt(ctx, resolution)
	}
	first := instant.Day
	if w.open {
		first = instant.Millisecond
	}
	page, err := w.page(ctx, around(w.low, w.high, w.open, first), 0)
	if err != nil {
		return false, err
	}
	if done := w.pool.complete(page); done && (first == instant.Day || len(page.Rows) == 0) {
		return true, w.onePage(ctx, page)
	}
	resolution, err := reader.detect(ctx, query, page.Rows)
	if err != nil {
		return false, err
	}
	if done, err := w.adopt(ctx, resolution); done || err != nil || resolution != first {
		return done, err
	}
	w.learn(page, 0)
	return w.advance(ctx, page, checkpoints.Interval{})
}

// onePage ends a walk whose first answer gave everything.
func (w *walk) onePage(ctx context.Context, page *api.Answer) error {
	wanted := 0
	for _, r := range page.Rows {
		if w.pool.wants(w.job, r) {
			wanted++
		}
	}
	w.pool.mu.Lock()
	w.announce(wanted, nil)
	w.pool.mu.Unlock()
	return w.yield(ctx, page, w.within(w.low, w.high))
}

// adopt sets the resolution. A source that honours only days cannot be walked by time.
func (w *walk) adopt(ctx context.Context, resolution instant.Micros) (done bool, err error) {
	w.pool.mu.Lock()
	w.resolution = resolution
	w.pool.mu.Unlock()
	if resolution < instant.Day {
		return false, nil
	}
	w.pool.warnOnce("the source ignores the time of day of from and to: reading whole days by skip")
	return true, w.readRestBySkip(ctx)
}

// nextBounds fixes the bounds of the next request, and with them which parts have
// been split off since the last one.
func (w *walk) nextBounds() (api.Bounds, []*walk) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	parts := w.parts
	w.parts = nil
	return around(w.low, w.cursor, w.open, w.resolution), parts
}

// stepDown requests one page and proves the step before it.
func (w *walk) stepDown(ctx context.Context) (done bool, err error) {
	bounds, parts := w.nextBounds()
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
	page, err := w.page(ctx, b, skip)
	if err != nil {
		return nil, err
	}
	w.learn(page, skip)
	return page, nil
}

// page requests one page, unless it is the first and the job brought its answer.
func (w *walk) page(ctx context.Context, b api.Bounds, skip int) (*api.Answer, error) {
	brought := w.brought
	w.brought = nil
	if brought != nil && brought.Bounds == b && skip == 0 {
		return brought, nil
	}
	return w.pool.reader.client.List(ctx, w.query(), b, skip, api.MaxTake)
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
func (w *walk) moveTo(cursor instant.Micros, open bool) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor, w.open = cursor, open
}

// advance yields the page and moves the cursor below it.
func (w *walk) advance(ctx context.Context, page *api.Answer, covered checkpoints.Interval) (done bool, err error) {
	oldest, dated := page.Oldest()
	passes := passes(page, page.From)
	if passes {
		oldest, dated = oldestFrom(page, page.From)
	}
	// A page that goes on below the walk's start has nothing more for it, unless it
	// is wrong: then what is right above the start is requested once more.
	if w.pool.complete(page) || (passes && (!dated || oldest.Floor(w.resolution)+w.resolution >= page.To)) {
		err := w.yield(ctx, page, covered, w.within(w.lowest(), page.To))
		return true, err
	}
	last := lastRows(page, oldest, w.resolution)
	if err := w.yield(ctx, page, covered); err != nil {
		return false, err
	}
	switch {
	case len(page.Rows) == 0:
		return w.nothingGiven(page), nil
	case !dated, loneBeyond(page, page.To+w.resolution):
		return true, w.readRestBySkip(ctx)
	}
	w.prev = &step{top: page.To, open: page.Open, total: page.Total, rows: page.Rows, last: last}
	bottom := min(oldest.Floor(w.resolution), page.To) // a row from beyond the bound must not lead back up
	next := bottom + w.resolution
	switch {
	case next < min(page.To, api.MaxBound):
		w.descend(next, oldest, page)
		return false, nil
	case beyond(page, page.To+w.resolution):
		return w.coarsen(ctx)
	}
	return w.readDense(ctx, bottom)
}

func (w *walk) descend(next, oldest instant.Micros, page *api.Answer) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.cursor, w.open = next, false
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

// coarsen is for a source that widens the bounds: it compares whole seconds or
// whole days. That loses nothing, but within one such unit there is no way down
// by time. The step that could not be made is requested again in the coarser resolution.
func (w *walk) coarsen(ctx context.Context) (done bool, err error) {
	resolution := instant.Second
	if w.resolution >= instant.Second {
		resolution = instant.Day
	}
	w.pool.reader.learn(w.query(), resolution)
	w.moveTo(w.prev.top, w.prev.open)
	w.prev = nil
	return w.adopt(ctx, resolution)
}

// nothingGiven handles an empty page whose total is not zero.
func (w *walk) nothingGiven(page *api.Answer) (done bool) {
	w.prev = nil
	if w.mayRepeat() {
		return false
	}
	w.pool.fallShort(w.job, w.within(w.lowest(), page.To), page.Total)
	return true
}

// within is the part of a range that this walk has to cover. It is
// empty for rows dated after the walk's end.
func (w *walk) within(from, to instant.Micros) checkpoints.Interval {
	from, to = max(from, w.lowest()), min(to, w.high)
	return checkpoints.Interval{From: from.Time(), To: max(from, to).Time()}
}

// yield hands over a page, if there is one, and says what is covered.
func (w *walk) yield(ctx context.Context, answer *api.Answer, covered ...checkpoints.Interval) error {
	page := Page{Job: w.job}
	if answer != nil {
		page = w.give(answer)
	}
	for _, i := range covered {
		if !i.Empty() {
			page.Covered = append(page.Covered, i)
		}
	}
	if len(page.Records)+page.Repeated+len(page.Covered) == 0 {
		return nil
	}
	return w.pool.emit(ctx, page)
}

// give makes a page of the records that the job wants: bounds have a margin, so an
// answer may also have rows that belong to other jobs, and rows of the answer before.
func (w *walk) give(answer *api.Answer) Page {
	page := Page{Job: w.job, Records: make([][]byte, 0, len(answer.Rows)), answer: answer}
	for _, r := range answer.Rows {
		switch {
		case !w.pool.wants(w.job, r):
		case w.prev.gave(r):
			page.Repeated++
		default:
			page.Records = append(page.Records, r.Raw)
		}
	}
	return page
}
