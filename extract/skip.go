package extract

import (
	"context"
	"fmt"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// skipPasses bounds how often a range is paged through by skip. When rows of
	// one instant come in another order on every request, each pass finds some more.
	skipPasses = 60
	// idlePasses ends it earlier: so many passes in a row that found nothing new,
	// or whose total changed. The last row or two of a dense timestamp in random order
	// may be missed as often, and are searched for longer.
	idlePasses, lastPasses = 3, 9
	// beyondDays is how far beyond its bound a source that knows only dates may
	// give rows; beyond that it ignores the bound.
	beyondDays = 2 * instant.Day
)

// readDense reads a dense timestamp, one that has more rows than a page: the walk
// cannot get below it by time. The window reaches two units of the resolution down and
// the walk goes on one unit below the timestamp, so that inclusive and exclusive bounds
// give the same rows.
func (w *walk) readDense(ctx context.Context, at instant.Micros) (done bool, err error) {
	through, err := w.skipThrough(ctx, around(max(at-w.resolution, w.lowest()), at+w.resolution, false, w.resolution))
	if err != nil {
		return false, err
	}
	next := at - w.resolution
	read := w.within(next, w.prev.top)
	if !through.complete {
		w.pool.fallShort(w.job, read, through.missing())
		w.prev = nil
	} else {
		w.prev.rows = through.rows
	}
	if next > w.lowest() {
		w.moveTo(next, false)
		return false, nil
	}
	if !through.complete {
		return true, nil
	}
	return true, w.yield(ctx, nil, read)
}

// readRestBySkip pages through what is left by skip: when no row of a page has a
// timestamp to page by, or the source ignores the time of day.
func (w *walk) readRestBySkip(ctx context.Context) error {
	w.pool.mu.Lock()
	w.bySkip = true
	window := around(w.low, w.cursor, w.open, w.resolution)
	low, cursor := w.low, w.cursor
	w.pool.mu.Unlock()
	interval := w.within(low, cursor)
	through, err := w.skipThrough(ctx, window)
	if err != nil {
		return err
	}
	if !through.complete {
		w.pool.fallShort(w.job, interval, through.missing())
		return nil
	}
	return w.yield(ctx, nil, interval)
}

// skipThrough pages through the bounds by skip until it is proven that nothing
// was left out, in one of two ways.
//
// A pass whose pages overlap in time has left out nothing, whatever was inserted
// or deleted meanwhile: a page that begins with a row newer than the oldest one
// of the page before has all that follows it. Where many rows share an instant
// pages cannot overlap in time; there the distinct records must reach a total
// that does not change, and one more pass must find nothing new.
func (w *walk) skipThrough(ctx context.Context, b api.Bounds) (*passage, error) {
	through := newPassage()
	patience := idlePasses
	for pass, idle := 0, 0; pass < skipPasses && idle < patience; pass++ {
		found, err := w.skipOnce(ctx, b, through)
		if err != nil {
			return nil, err
		}
		counted := !found.fresh && found.steady && found.ended && through.count == through.total
		if through.complete = found.overlapping || counted; through.complete || found.ignored {
			return through, nil
		}
		idle++
		patience = idlePasses
		if left := through.total - through.count; found.steady && found.ended && left > 0 && left <= 2 {
			patience = lastPasses
		}
		switch {
		case through.count > through.total: // some of them were deleted meanwhile, or the total is wrong
			through.reset()
		case found.fresh && found.steady:
			idle = 0
		}
	}
	return through, nil
}

// pass is what paging once through a range has shown.
type pass struct {
	fresh       bool // records not seen before
	steady      bool // the total did not change
	ended       bool // it came to the end of the list
	overlapping bool // and every page overlapped the one before it in time
	ignored     bool // the source gives the same page whatever skip says
}

// skipOnce makes one pass and yields the pages that hold anything new.
func (w *walk) skipOnce(ctx context.Context, b api.Bounds, through *passage) (found pass, err error) {
	found = pass{steady: true}
	overlapping := true
	var before *api.Answer
	for skip, stale := 0, 0; stale <= 2*len(through.ever)+10*api.MaxTake; {
		page, err := w.request(ctx, b, skip)
		if err != nil {
			return found, err
		}
		if beyond(page, b.To+beyondDays) {
			return found, w.ignoresTo(page)
		}
		found.steady = through.steady(page) && found.steady
		stale += max(1, len(page.Rows))
		known := len(through.ever)
		if through.add(page) {
			found.fresh = true
			if err := w.yield(ctx, page); err != nil {
				return found, err
			}
		}
		if len(through.ever) > known {
			stale = 0
		}
		full := w.pool.full(page)
		overlapping = overlapping && follows(page, before, full)
		switch {
		case ends(page, skip, full), overlapping && passes(page, b.From):
			found.ended, found.overlapping = true, overlapping
			return found, nil
		case len(page.Rows) == 0:
			return found, nil
		case before != nil && sameRows(before.Rows, page.Rows):
			w.pool.warnOnce("the source repeats the same page whatever skip says")
			found.ignored = true
			return found, nil
		}
		before = page
		skip += overlap(page)
	}
	return found, nil
}

func (w *walk) ignoresTo(page *api.Answer) error {
	newest, _ := page.Newest()
	return &api.Error{
		Kind: api.OffContract, Path: w.query().Path(),
		Message: fmt.Sprintf("the source ignores the parameter to: it gave rows of %s when requested up to %s", newest.Format(), page.To.Format()),
	}
}
