package extract

import (
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// splitRows is the smallest remainder worth a second worker. A split costs about
	// one request (a page that is not full).
	splitRows = 4 * api.MaxTake
	// shareRows is what one worker reads before it looks for more. The workers read
	// neighbouring ranges, so that the rows of one time come together, wherever they are
	// stored, and the newest first. Shorter ranges would cost more requests.
	shareRows = 100 * api.MaxTake
)

// divisible reports whether other workers may take parts of the walk now. Not
// while it is unknown how many rows it holds, or an earlier part. The pool's lock
// is held.
func (w *walk) divisible() bool {
	return w.known && w.awaited == 0 && w.pace > 0
}

// divide gives what remains below this walk's own share to new walks, at most so many,
// from newer to older; all but the last get one share as well. This walk's last total
// includes their rows, so their first totals take part in the proof of its step. The
// pool's lock is held.
func (w *walk) divide(most int) (parts []*walk) {
	most = min(most, 2*w.remaining/splitRows)
	share := min(w.remaining/(most+1), shareRows)
	// The density of the last page estimates where a row is: history may begin long
	// after the interval does. A total may be absurd.
	row := min(w.pace, float64(w.cursor-w.low)/float64(w.remaining))
	high := w.high
	for n := 1; n <= most; n++ {
		cut := min(w.cursor-instant.Micros(row*float64(share)*float64(n)), high).Floor(instant.Second)
		if cut <= w.low || cut >= w.cursor || (len(parts) > 0 && cut >= high) {
			break
		}
		if len(parts) > 0 {
			parts[len(parts)-1].low = cut
		}
		parts = append(parts, w.part(cut, share))
		high = cut
	}
	if len(parts) > 0 {
		w.low = parts[0].high
		parts[len(parts)-1].remaining = max(share, w.remaining-share*len(parts))
	}
	w.parts = append(w.parts, parts...)
	w.awaited += len(parts)
	return parts
}

// part is a new walk over what this one has left below a cut, with about so many rows.
func (w *walk) part(cut instant.Micros, rows int) *walk {
	part := newWalk(w.pool, w.job, w.low, cut, false)
	part.resolution, part.parent, part.remaining = w.resolution, w, rows
	return part
}

// announce reports the number of rows to the walk that this one was split off. The pool's
// lock is held. Only the first call counts.
func (w *walk) announce(total int, err error) {
	if w.known {
		return
	}
	w.known, w.total, w.failure = true, total, err
	if w.parent != nil {
		w.parent.remaining = max(0, w.parent.remaining-total)
		w.parent.awaited--
		w.parent = nil // or each walk would keep all before it, with their last pages
	} else {
		w.pool.expected += total
	}
	close(w.first)
	w.pool.changed.Broadcast()
}
