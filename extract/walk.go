package extract

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/internal/crash"
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

	prev    *step   // the last answer, whose step down is not proven yet
	brought *answer // to the first question; nil once it is asked
	retries int     // of this walk
	again   int     // of this step

	// Guarded by the pool's lock, since other workers split the walk. Only the
	// walk's own worker changes grain, cursor and open.
	grain     instant.Micros // the resolution the source honours in from and to; 0 is unknown
	low       instant.Micros // inclusive start of what this walk covers
	cursor    instant.Micros // everything from here up has been received
	open      bool           // no upper bound yet
	remaining int            // rows below the cursor: by the last total, or a guess until the first
	pace      float64        // microseconds a row, over the last page
	parts     []*walk        // split off since the last question was asked
	awaited   int            // parts that have not announced their totals yet
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
	edge  []row // of these, with their records, those that the next answer may repeat
}

// edge copies the rows of a page that the next one may hold, too.
func (a *answer) edge(oldest, grain instant.Micros) (edge []row) {
	for _, r := range a.rows {
		if r.ok && r.at <= oldest+2*grain {
			r.raw = bytes.Clone(r.raw)
			edge = append(edge, r)
		}
	}
	return edge
}

// gave reports whether the answer held the very same record.
func (s *step) gave(r row) bool {
	return s != nil && slices.ContainsFunc(s.edge, func(given row) bool { return given.at == r.at && bytes.Equal(given.raw, r.raw) })
}

func newWalk(pool *Walks, job int, low, high instant.Micros, open bool) *walk {
	w := &walk{pool: pool, job: job, low: low, high: high, cursor: high, open: open, first: make(chan struct{})}
	if open {
		w.cursor = forever
	}
	return w
}

func (w *walk) query() Query { return w.pool.jobs[w.job].Query }

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

// begin learns the grain of the source where nobody knows it yet. Without an
// upper bound the first question may be fine: what the source cuts off the lower
// one only adds rows. Otherwise a row that was seen before tells the grain, or
// else the first question is asked in whole days. One thing is taken on trust,
// so that a quiet night asks for the lookback and nothing else: an answer without
// any row. It could hide rows of the first day if a source compared dates only
// and counted the day of from out; that has never been seen.
func (w *walk) begin(ctx context.Context) (done bool, err error) {
	if w.grain != 0 {
		return false, nil // the one it was split off from knew
	}
	client, query := w.pool.client, w.query()
	if grain, err := client.grainOf(ctx, query, !w.open); err != nil || grain != 0 {
		if err != nil {
			return false, err
		}
		return w.adopt(ctx, grain)
	}
	first := instant.Day
	if w.open {
		first = instant.Millisecond
	}
	page, err := w.page(ctx, around(w.low, w.high, w.open, first), 0)
	if err != nil {
		return false, err
	}
	if done := w.pool.complete(page); done && (first == instant.Day || len(page.rows) == 0) {
		return true, w.onePage(ctx, page)
	}
	grain, err := client.calibrate(ctx, query, page.rows)
	if err != nil {
		return false, err
	}
	if done, err := w.adopt(ctx, grain); done || err != nil || grain != first {
		return done, err
	}
	w.learn(page, 0)
	return w.advance(ctx, page, checkpoints.Interval{})
}

// onePage ends a walk whose first question gave everything.
func (w *walk) onePage(ctx context.Context, page *answer) error {
	wanted := 0
	for _, r := range page.rows {
		if w.pool.wants(w.job, r) {
			wanted++
		}
	}
	w.pool.mu.Lock()
	w.announce(wanted, nil)
	w.pool.mu.Unlock()
	return w.yield(ctx, page, w.within(w.low, w.high))
}

// adopt sets the grain. From days there is no way down by time.
func (w *walk) adopt(ctx context.Context, grain instant.Micros) (done bool, err error) {
	w.pool.mu.Lock()
	w.grain = grain
	w.pool.mu.Unlock()
	if grain < instant.Day {
		return false, nil
	}
	w.pool.warnOnce("the source ignores the time of day of from and to: reading whole days by skip")
	return true, w.readRestBySkip(ctx)
}

// question fixes the bounds of the next request, and with them which parts have
// been split off since the last one.
func (w *walk) question() (bounds, []*walk) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	parts := w.parts
	w.parts = nil
	return around(w.low, w.cursor, w.open, w.grain), parts
}

// stepDown asks one question and settles the step before it.
func (w *walk) stepDown(ctx context.Context) (done bool, err error) {
	asked, parts := w.question()
	page, err := w.ask(ctx, asked, 0)
	if err != nil {
		return false, err
	}
	covered, ok, err := w.settle(ctx, page, parts)
	if err != nil || !ok {
		return false, err
	}
	return w.advance(ctx, page, covered)
}

// ask requests one page and tells the pool what it learned.
func (w *walk) ask(ctx context.Context, b bounds, skip int) (*answer, error) {
	page, err := w.page(ctx, b, skip)
	if err != nil {
		return nil, err
	}
	w.learn(page, skip)
	return page, nil
}

// page requests one page, unless it is the first and the job brought its answer.
func (w *walk) page(ctx context.Context, b bounds, skip int) (*answer, error) {
	brought := w.brought
	w.brought = nil
	if brought != nil && brought.bounds == b && skip == 0 {
		return brought, nil
	}
	return w.pool.client.page(ctx, w.query(), b, skip, MaxTake)
}

func (w *walk) learn(page *answer, skip int) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.pool.learnTake(len(page.rows), page.total-skip)
	w.announce(page.total, nil)
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
func (w *walk) advance(ctx context.Context, page *answer, covered checkpoints.Interval) (done bool, err error) {
	oldest, dated := page.oldest()
	passes := page.passes(page.from)
	if passes {
		oldest, dated = page.oldestFrom(page.from)
	}
	// A page that goes on below the walk's start has nothing more for it, unless it
	// is wrong: that is asked once more, of what lies right above the start.
	if w.pool.complete(page) || (passes && (!dated || oldest.Floor(w.grain)+w.grain >= page.to)) {
		err := w.yield(ctx, page, covered, w.within(w.lowest(), page.to))
		return true, err
	}
	edge := page.edge(oldest, w.grain)
	if err := w.yield(ctx, page, covered); err != nil {
		return false, err
	}
	switch {
	case len(page.rows) == 0:
		return w.nothingGiven(page), nil
	case !dated, page.lone(page.to + w.grain):
		return true, w.readRestBySkip(ctx)
	}
	w.prev = &step{top: page.to, open: page.open, total: page.total, rows: page.rows, edge: edge}
	bottom := min(oldest.Floor(w.grain), page.to) // a row from beyond the bound must not lead back up
	next := bottom + w.grain
	switch {
	case next < min(page.to, lastYear):
		w.descend(next, oldest, page)
		return false, nil
	case page.strays(page.to + w.grain):
		return w.coarsen(ctx)
	}
	return w.readCrowd(ctx, bottom)
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

// coarsen is for a source that widens the bounds: it compares whole seconds or
// whole days. That loses nothing, but within one such unit there is no way down
// by time. The step that could not be made is asked again in the coarser grain.
func (w *walk) coarsen(ctx context.Context) (done bool, err error) {
	grain := instant.Second
	if w.grain >= instant.Second {
		grain = instant.Day
	}
	w.pool.client.coarsen(w.query(), grain)
	w.moveTo(w.prev.top, w.prev.open)
	w.prev = nil
	return w.adopt(ctx, grain)
}

// nothingGiven handles an empty page whose total is not zero.
func (w *walk) nothingGiven(page *answer) (done bool) {
	w.prev = nil
	if w.mayRetry() {
		return false
	}
	w.pool.fallShort(w.job, w.within(w.lowest(), page.to), page.total)
	return true
}

// within is the part of a stretch of time that this walk answers for. It is
// empty for rows dated after the walk's end.
func (w *walk) within(from, to instant.Micros) checkpoints.Interval {
	from, to = max(from, w.lowest()), min(to, w.high)
	return checkpoints.Interval{From: from.Time(), To: max(from, to).Time()}
}

// yield hands over a page, if there is one, and says what is covered.
func (w *walk) yield(ctx context.Context, answer *answer, covered ...checkpoints.Interval) error {
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

// give makes a page of the records that the job asked for: bounds are asked for
// with a margin, so an answer may also hold rows that are other jobs' affair, and
// rows of the answer before.
func (w *walk) give(answer *answer) Page {
	page := Page{Job: w.job, Records: make([][]byte, 0, len(answer.rows)), lent: &lent{answer.body}}
	answer.body = nil
	for _, r := range answer.rows {
		switch {
		case !w.pool.wants(w.job, r):
		case w.prev.gave(r):
			page.Repeated++
		default:
			page.Records = append(page.Records, r.raw)
		}
	}
	return page
}
