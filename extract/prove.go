package extract

import (
	"context"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// stepRetries is how often one step is requested again when its totals do not add up.
	stepRetries = 2
	// walkRetries bounds that for a whole walk, so that a source whose totals
	// are wrong everywhere costs little.
	walkRetries = 10
)

// prove checks the step from the last answer to this one: what the last one
// counted must be what only it gave, plus what this one counts, plus what the
// parts split off in between count. If it does not add up, rows were deleted or
// lost: the step is requested again, and finally left uncovered. ok is false when
// the walk has gone back and this page is to be forgotten.
func (w *walk) prove(ctx context.Context, page *api.Answer, parts []*walk) (covered checkpoints.Interval, ok bool, err error) {
	if w.prev == nil {
		return covered, true, nil
	}
	counted := page.Total + countAbove(w.prev.rows, page, w.cursor)
	for _, part := range parts {
		select {
		case <-part.announced:
		case <-ctx.Done():
			return covered, false, ctx.Err()
		}
		if part.failure != nil {
			return covered, false, part.failure
		}
		counted += part.total
	}
	proven := w.within(w.cursor, w.prev.top)
	if counted >= w.prev.total {
		w.again = 0
		return proven, true, nil
	}
	if w.mayRepeat() {
		w.moveTo(w.prev.top)
		w.prev = nil
		return covered, false, nil
	}
	w.again = 0
	w.pool.fallShort(w.job, proven, w.prev.total-counted)
	return covered, true, nil
}

func (w *walk) mayRepeat() bool {
	if w.again >= stepRetries || w.retries >= walkRetries {
		return false
	}
	w.again++
	w.retries++
	return true
}
