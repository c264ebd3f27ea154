package extract

import (
	"context"
	"fmt"
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/internal/instant"
)

// skipPasses bounds how often a range is paged through by skip. When rows of one
// instant come in another order on every request, each pass finds some more.
const skipPasses = 60

// readCrowd reads an instant that holds more rows than a page: the walk cannot
// get below it by time. The window reaches two grains down and the walk goes on
// one grain below the instant, so that inclusive and exclusive bounds give the
// same rows.
func (w *walk) readCrowd(ctx context.Context, page *answer, edge instant.Micros) (done bool, err error) {
	window := bounds{from: max(edge-2*w.grain, page.from), to: edge + w.grain}
	through, err := w.skipThrough(ctx, window)
	if err != nil {
		return false, err
	}
	next := edge - w.grain
	if through.missing > 0 {
		w.pool.fallShort(w.job, w.within(next, w.prev.top), through.missing)
		w.prev = nil
	} else {
		w.prev.rows, w.prev.crowd = through.rows, true
	}
	if next > w.lowest() {
		w.moveTo(next, false, nil)
		return false, nil
	}
	return true, w.closeCrowd(ctx, page, through)
}

// closeCrowd ends a walk whose lowest instants were read by skip.
func (w *walk) closeCrowd(ctx context.Context, page *answer, through *passage) error {
	if w.prev == nil {
		return nil
	}
	interval := w.within(w.lowest(), w.prev.top)
	if missing := page.total - through.held; missing > 0 {
		w.pool.fallShort(w.job, interval, missing)
		return nil
	}
	return w.yield(ctx, nil, []checkpoints.Interval{interval})
}

// readRestBySkip pages through what is left by skip, when no row of a page has a
// timestamp to go by.
func (w *walk) readRestBySkip(ctx context.Context, page *answer) error {
	w.pool.mu.Lock()
	w.bySkip = true
	window := bounds{from: w.low - w.grain, to: w.cursor, open: w.open}
	w.pool.mu.Unlock()
	return w.coverBySkip(ctx, window, w.within(w.lowest(), page.top()))
}

// readByDate is for a source that ignores the time of day of from and to: whole
// days, by skip.
func (w *walk) readByDate(ctx context.Context) error {
	w.pool.warnOnce("the source ignores the time of day of from and to: reading whole days by skip")
	w.pool.mu.Lock()
	w.bySkip = true
	days := bounds{
		from: w.low.Floor(instant.Day) - instant.Millisecond,
		to:   (w.high + instant.Day - 1).Floor(instant.Day),
		open: w.pool.jobs[w.job].Open && w.high == instant.Of(w.pool.jobs[w.job].Interval.To),
	}
	low := w.low
	w.pool.mu.Unlock()
	w.setGrain(instant.Day)
	return w.coverBySkip(ctx, days, w.within(low, w.high))
}

func (w *walk) coverBySkip(ctx context.Context, window bounds, interval checkpoints.Interval) error {
	through, err := w.skipThrough(ctx, window)
	if err != nil {
		return err
	}
	if through.missing > 0 {
		w.pool.fallShort(w.job, interval, through.missing)
		return nil
	}
	return w.yield(ctx, nil, []checkpoints.Interval{interval})
}

// passage is what paging by skip has gathered.
type passage struct {
	rows    []row // each distinct record once, without its text
	copies  map[string]int
	held    int // distinct records, and the copies that one answer held of one
	missing int // what the total counts beyond that
}

// add counts a page and reports whether it held anything new.
func (p *passage) add(page *answer) bool {
	before := p.held
	inPage := make(map[string]int, len(page.rows))
	for _, r := range page.rows {
		key := r.key()
		inPage[key]++
		if p.copies[key] == 0 {
			p.rows = append(p.rows, row{id: key, at: r.at, ok: r.ok})
		}
		if inPage[key] > p.copies[key] {
			p.copies[key]++
			p.held++
		}
	}
	return p.held > before
}

// skipThrough pages through the bounds by skip, yielding every page, again and
// again until the distinct ids reach the total. It ends early when passes bring
// nothing new or when the source evidently ignores skip.
func (w *walk) skipThrough(ctx context.Context, b bounds) (*passage, error) {
	through := &passage{copies: map[string]int{}}
	for pass, idle := 0, 0; pass < skipPasses && idle < 2; pass++ {
		news, ignored, err := w.skipOnce(ctx, b, through)
		if err != nil || through.missing == 0 || ignored {
			return through, err
		}
		idle++
		if news {
			idle = 0
		}
	}
	return through, nil
}

// skipOnce makes one pass.
func (w *walk) skipOnce(ctx context.Context, b bounds, through *passage) (news, ignored bool, err error) {
	var before []row
	for skip, total := 0, 1; skip < total; {
		page, err := w.ask(ctx, b, skip)
		if err != nil {
			return news, false, err
		}
		if err := w.bounded(page); err != nil {
			return news, false, err
		}
		total = page.total
		news = through.add(page) || news
		through.missing = max(0, total-through.held)
		if err := w.yield(ctx, page.rows, nil); err != nil {
			return news, false, err
		}
		if sameRows(before, page.rows) {
			w.pool.warnOnce("the source repeats the same page whatever skip says")
			return news, true, nil
		}
		if len(page.rows) == 0 || through.missing == 0 {
			return news, false, nil
		}
		before = page.rows
		skip += len(page.rows)
	}
	return news, false, nil
}

// bounded refuses pages that ignore the lower bound altogether: paging through
// them would read the whole history for every interval.
func (w *walk) bounded(page *answer) error {
	for _, r := range page.rows {
		if r.ok && r.at < page.from-2*w.grain {
			return &Error{
				Kind: OffContract, Path: display(w.query().segments()),
				Message: fmt.Sprintf("the source ignores the parameter from: it gave a row of %s when asked from %s", r.at.Format(), page.from.Format()),
			}
		}
	}
	return nil
}

func sameRows(a, b []row) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y row) bool { return x.key() == y.key() })
}
