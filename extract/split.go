package extract

import "github.com/flashback-sync/flashback-sync/internal/instant"

// divisible reports whether another worker may take a part of the walk. Not
// while an earlier part has yet to say how many rows it holds: until then
// nobody knows how many are left here. The pool's lock is held.
func (w *walk) divisible() bool {
	return w.known && !w.bySkip && w.awaited == nil && w.remaining >= splitRows && w.middle() > w.low && w.middle() < w.cursor
}

// divide hands the older part of what remains to a new walk. The rows that this
// walk's last answer counted below the cut are owed by the new walk: its first
// total stands in for them when the step is proven. The pool's lock is held.
func (w *walk) divide() *walk {
	cut := w.middle()
	part := newWalk(w.pool, w.job, w.low, cut, false)
	part.grain = w.grain
	part.parent = w
	w.low = cut
	w.parts = append(w.parts, part)
	w.awaited = part
	return part
}

// middle is the instant that halves the rows left, guessing from the density of
// the last page: history may begin long after the interval does.
func (w *walk) middle() instant.Micros {
	span := w.cursor - w.low
	if left := w.pace * float64(w.remaining); left > 0 && left < float64(span) { // a total may be absurd
		span = instant.Micros(left)
	}
	cut := min(w.cursor-span/2, w.high).Floor(instant.Second)
	return cut
}

// announce tells whoever split this walk off how many rows it holds. The pool's
// lock is held. Only the first call counts.
func (w *walk) announce(total int, err error) {
	if w.known {
		return
	}
	w.known, w.total, w.failure = true, total, err
	if w.parent != nil {
		w.parent.remaining = max(0, w.parent.remaining-total)
		w.parent.awaited = nil
	} else {
		w.pool.expected += total
	}
	close(w.first)
	w.pool.changed.Broadcast()
}
