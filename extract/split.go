package extract

import (
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

const (
	// splitRows is the smallest remainder worth a second worker. A split costs about
	// half a request: the page it ends with is not full.
	splitRows = 4 * api.MaxTake
	// shareRows is what one worker reads before it looks for more. The workers read
	// neighbouring ranges, so that the rows of one time come together, wherever they are
	// stored, and the newest first. Shorter ranges would cost more requests.
	shareRows = 100 * api.MaxTake
	// A sparing job is split once for so many rows at most. That pages overlap by a row
	// costs 1%, so its requests stay below 1.02 a page; the rows that are never split pay
	// for splits that read no page. A lookback is mostly shorter, and read by one worker.
	sparingSplitRows = 8000
	sparingRows      = 20_000
)

// split cuts the walk with the most rows left, into a part for everybody who waits;
// none if it is not worth it, or not known yet where. The lock is held.
func (w *Walks) split() []*walk {
	var largest *walk
	for candidate := range w.active {
		if w.splits(candidate) > 0 && (largest == nil || candidate.remaining > largest.remaining) {
			largest = candidate
		}
	}
	if largest == nil || !largest.divisible() {
		return nil
	}
	return largest.divide(min(w.idle+1, w.splits(largest)))
}

// splits is how often the walk may be split. The lock is held.
func (w *Walks) splits(candidate *walk) int {
	if w.jobs[candidate.job].Sparing {
		return (candidate.remaining - sparingRows) / sparingSplitRows
	}
	return 2 * (candidate.remaining / splitRows)
}

// divisible reports whether other workers may take parts of the walk now. Not while it
// is unknown how many rows it has, or an earlier part. The pool's lock is held.
func (w *walk) divisible() bool {
	return w.known && w.awaited == 0 && w.pace > 0 && w.resolution < instant.Day
}

// divide gives what remains below this walk's own share to new walks, at most so many,
// from newer to older; all but the last get one share as well. This walk's last total
// includes their rows, so their first totals take part in the proof of its step. The
// pool's lock is held.
func (w *walk) divide(most int) (parts []*walk) {
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
	close(w.announced)
	w.pool.changed.Broadcast()
}
