package extract

import (
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// complete reports whether a page that was requested without skip has all that its
// query matches. A total that is not exactly that proves nothing.
func (w *Walks) complete(page *api.Answer) bool {
	return len(page.Rows) == page.Total && !w.full(page)
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

// learnTake notices a source that gives fewer rows than requested although it has
// more. The lock is held.
func (w *Walks) learnTake(given, left int) {
	if given > 0 && given < left {
		w.shortest, w.cut = min(w.shortest, given), true
	}
}

// countAbove counts the rows that the next page's total cannot include: they are at
// or above the limit that it was requested for, and it did not give them.
func countAbove(rows []api.Row, next *api.Answer, limit instant.Micros) (count int) {
	above := func(r api.Row) bool { return !r.Dated || r.At >= limit }
	given := map[api.Identity]struct{}{}
	for _, r := range next.Rows {
		if above(r) {
			given[r.Identity()] = struct{}{}
		}
	}
	for _, r := range rows {
		if _, again := given[r.Identity()]; above(r) && !again {
			count++
		}
	}
	return count
}

// oldestWithin is the timestamp of the oldest row of a page that is dated within limits.
// The page has everything down to it, since lists begin with the newest.
func oldestWithin(a *api.Answer, from, to instant.Micros) (at instant.Micros, ok bool) {
	for _, r := range a.Rows {
		if r.Dated && r.At >= from && r.At < to && (!ok || r.At < at) {
			at, ok = r.At, true
		}
	}
	return at, ok
}

// overlap is how far to skip so that the next page begins with a row newer than
// the oldest of this one. If no such row is near the end it skips the whole page.
func overlap(a *api.Answer) int {
	oldest, _ := a.Oldest()
	for i, r := range slices.Backward(a.Rows) {
		if r.Dated && r.At > oldest && 2*i >= len(a.Rows) {
			return i
		}
	}
	return len(a.Rows)
}

func sameRows(a, b []api.Row) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y api.Row) bool { return x.Identity() == y.Identity() })
}
