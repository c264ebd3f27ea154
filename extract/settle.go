package extract

import (
	"context"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// settle proves the step from the last answer to this one: what the last one
// counted must be what only it gave, plus what this one counts, plus what the
// parts split off in between count. If it does not add up, rows were deleted or
// lost: the step is asked again, and in the end left uncovered. ok is false when
// the walk has gone back and this page is to be forgotten.
func (w *walk) settle(ctx context.Context, page *api.Answer, parts []*walk) (covered checkpoints.Interval, ok bool, err error) {
	if w.prev == nil {
		return covered, true, nil
	}
	held := page.Total + countAbove(w.prev.rows, page)
	for _, part := range parts {
		select {
		case <-part.first:
		case <-ctx.Done():
			return covered, false, ctx.Err()
		}
		if part.failure != nil {
			return covered, false, part.failure
		}
		held += part.total
	}
	proven := w.within(page.To, w.prev.top)
	if held >= w.prev.total {
		w.again = 0
		return proven, true, nil
	}
	if w.mayRetry() {
		w.moveTo(w.prev.top, w.prev.open)
		w.prev = nil
		return covered, false, nil
	}
	w.again = 0
	w.pool.fallShort(w.job, proven, w.prev.total-held)
	return covered, true, nil
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
// or above its upper bound and it did not give them. Hardly any row of that page
// lies there too, so that hardly any is remembered.
func countAbove(rows []api.Row, next *api.Answer) int {
	above := func(r api.Row) bool { return !r.Dated || r.At >= next.To }
	given := map[api.Identity]struct{}{}
	for _, r := range next.Rows {
		if above(r) {
			given[r.Identity()] = struct{}{}
		}
	}
	count := 0
	for _, r := range rows {
		if !above(r) {
			continue
		}
		if _, again := given[r.Identity()]; !again {
			count++
		}
	}
	return count
}
