package extract

import (
	"context"
	"errors"
	"fmt"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// idlePasses ends paging by skip: so many passes in a row that found nothing new, or
	// whose total changed. When rows of one instant come in another order on every
	// request, each pass finds two thirds of what is left. The last row or two may be
	// missed several times, and are searched for longer.
	idlePasses, lastPasses = 3, 9
	mostPasses             = 60
	// samePages in a row show that the source ignores skip. Once, rows may have been
	// inserted above just as many as were skipped.
	samePages = 3
)

// readDense reads one unit of the resolution that has more rows than a page: the walk
// cannot get below it by time. These rows share a timestamp, or the source ignores the
// time of day. The unit below is read with it, so that inclusive and exclusive bounds
// give the same rows.
func (w *walk) readDense(ctx context.Context, oldest instant.Micros) (done bool, err error) {
	at := min(oldest, w.cursor-1).Floor(w.resolution)
	return w.readBySkip(ctx, at-w.resolution, at+w.resolution)
}

// readBySkip pages by skip through [from, to), which reaches up to the cursor, and goes
// on below it.
func (w *walk) readBySkip(ctx context.Context, from, to instant.Micros) (done bool, err error) {
	from = max(from, w.lowest())
	through, err := w.skipThrough(ctx, around(from, to, w.resolution), from)
	if err != nil {
		return false, err
	}
	read := w.within(from, w.prev.top)
	done = from <= w.lowest()
	w.moveTo(from)
	switch {
	case !through.complete:
		w.pool.fallShort(w.job, read, max(1, through.total-len(through.rows)))
		w.prev = nil
	case done:
		return true, w.yield(ctx, nil, read)
	default:
		w.prev.rows = through.rows
	}
	return done, nil
}

// passage is what paging by skip has collected.
type passage struct {
	rows     []api.Row // each distinct record once, without the JSON
	seen     map[api.Identity]struct{}
	total    int // by the last answer
	complete bool
}

// add reports whether the page had anything new.
func (p *passage) add(page *api.Answer) (fresh bool) {
	p.total = page.Total
	for _, r := range page.Rows {
		if _, known := p.seen[r.Identity()]; !known {
			p.seen[r.Identity()] = struct{}{}
			r.Raw = nil // would keep its whole page in memory
			p.rows = append(p.rows, r)
			fresh = true
		}
	}
	return fresh
}

// skipThrough pages through the bounds by skip until it is proven that no row from low
// up was left out, in one of two ways.
//
// A pass whose pages overlap in time has left out nothing, whatever was inserted
// or deleted meanwhile: a page that begins with a row newer than the oldest one
// of the page before has all that follows it. Where many rows share an instant
// pages cannot overlap in time; there the distinct records must reach a total
// that does not change, and one more pass must find nothing new.
func (w *walk) skipThrough(ctx context.Context, b api.Bounds, low instant.Micros) (*passage, error) {
	through := &passage{seen: map[api.Identity]struct{}{}}
	patience := idlePasses
	for pass, idle := 0, 0; pass < mostPasses && idle < patience; pass++ {
		found, err := w.skipOnce(ctx, b, low, through)
		if err != nil {
			return nil, err
		}
		counted := !found.fresh && found.steady && found.ended && len(through.rows) == through.total
		if through.complete = found.overlapping || counted; through.complete {
			break
		}
		idle++
		patience = idlePasses
		if left := through.total - len(through.rows); found.steady && found.ended && left > 0 && left <= 2 {
			patience = lastPasses
		}
		switch {
		case len(through.rows) > through.total: // some of them were deleted meanwhile, or the total is wrong
			through.rows = nil
			clear(through.seen)
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
	ended       bool // it came to the end of the list where its total says
	overlapping bool // every page overlapped the one before it in time, down to low
}

// skipOnce makes one pass and yields the pages with anything new. A pass ends also
// where it skips far more rows than it was given: the total may be absurd.
func (w *walk) skipOnce(ctx context.Context, b api.Bounds, low instant.Micros, through *passage) (found pass, err error) {
	found = pass{steady: true}
	var before *api.Answer
	overlapping, same := true, 1
	for skip := 0; skip <= 2*(len(through.rows)+api.MaxTake); {
		page, err := w.request(ctx, b, skip)
		if err != nil {
			return found, err
		}
		found.steady = found.steady && (before == nil || before.Total == page.Total)
		if through.add(page) {
			found.fresh = true
			if err := w.yield(ctx, page); err != nil {
				return found, err
			}
		}
		newest, dated := page.Newest()
		if before != nil {
			frontier, _ := before.Oldest()
			overlapping = overlapping && dated && newest > frontier
			if same++; !sameRows(before.Rows, page.Rows) {
				same = 1
			}
		}
		switch {
		case same == samePages && skip < page.Total:
			return found, w.ignored("it gave the same %d rows for every skip up to %d", len(page.Rows), skip)
		case overlapping && dated && newest < low:
			found.overlapping = true
			return found, nil
		case skip+len(page.Rows) == page.Total && !w.pool.full(page):
			found.ended, found.overlapping = true, overlapping
			return found, nil
		case len(page.Rows) == 0: // before or beyond where the list should end
			return found, nil
		}
		before = page
		skip += overlap(page)
	}
	return found, nil
}

// ErrIgnored means that the source ignores a parameter without which its list cannot be read.
var ErrIgnored = errors.New("the source ignores a parameter")

func (w *walk) ignored(format string, arguments ...any) error {
	return &api.Error{Kind: api.OffContract, Path: w.query().Path(), Err: fmt.Errorf("%w: %s", ErrIgnored, fmt.Sprintf(format, arguments...))}
}
