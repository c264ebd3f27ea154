package extract

import (
	"cmp"
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// What a bound cuts off leaves no trace in an answer: a source that cuts 15:00 down to
// midnight simply has no rows after midnight. So no bound finer than a day is used
// before a row that is known to exist was found by bounds drawn closely around it.

// Resolution is the resolution to which the source honours from and to: a
// millisecond, a second or a day. If it is not known yet it is tried on the source's
// newest rows; if these cannot show it, it counts as a second.
func (r *Reader) Resolution(ctx context.Context, q api.Query) (time.Duration, error) {
	resolution, err := r.resolution(ctx, q, nil)
	if err == nil && resolution == 0 {
		var newest *api.Answer
		if newest, err = r.client.List(ctx, q, around(api.MinBound, forever, instant.Day), 0, api.MaxTake); err == nil {
			resolution, err = r.resolution(ctx, q, newest.Rows)
		}
	}
	if resolution == 0 {
		resolution = instant.Second
	}
	return time.Duration(resolution) * time.Microsecond, err
}

// resolution is what is known. If nothing is, it is found by requesting rows that an
// answer just gave; 0 means that these cannot show it. The lock is held meanwhile:
// walks that begin together need the same finding.
func (r *Reader) resolution(ctx context.Context, q api.Query, rows []api.Row) (instant.Micros, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.known[q.Template()]; known != 0 {
		return known, nil
	}
	tried := false
	for _, resolution := range []instant.Micros{instant.Millisecond, instant.Second} {
		for _, at := range probes(rows, resolution) {
			tried = true
			found, _, err := r.findsRow(ctx, q, at, resolution)
			if err != nil {
				return 0, err
			}
			if found {
				r.learn(q, resolution)
				return resolution, nil
			}
		}
	}
	if !tried {
		return 0, nil
	}
	r.learn(q, instant.Day)
	return instant.Day, nil
}

// glimpsed are rows of the source that were seen already.
func (r *Reader) glimpsed(q api.Query) []api.Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[q.Template()]
}

// learn notes the resolution, unless a coarser one is known. The lock is held.
func (r *Reader) learn(q api.Query, resolution instant.Micros) {
	known := r.known[q.Template()]
	if resolution <= known {
		return
	}
	if resolution == instant.Day {
		r.client.Warn("the source ignores the time of day of from and to: reading day by day")
	}
	r.known[q.Template()] = resolution
}

// findsRow requests one unit of the resolution around an instant that has a row.
// Finding one there proves that bounds are not cut down to a coarser resolution: the
// upper bound would lie below the row, or the lower one above it.
func (r *Reader) findsRow(ctx context.Context, q api.Query, at, resolution instant.Micros) (bool, *api.Answer, error) {
	b := api.Bounds{From: at.Floor(resolution) - resolution, To: at.Floor(resolution) + resolution}
	page, err := r.client.List(ctx, q, b, 0, 1)
	if err != nil {
		return false, nil, err
	}
	oldest, dated := page.Oldest()
	return dated && oldest >= b.From && oldest <= b.To, page, nil
}

// probes picks up to three instants at which a source of this resolution and one of
// the next coarser answer differently. Three, since a row may vanish.
func probes(rows []api.Row, resolution instant.Micros) []instant.Micros {
	coarser := coarserThan(resolution)
	var fit []instant.Micros
	for _, r := range rows {
		rest := (r.At - r.At.Floor(coarser)).Floor(resolution)
		if r.Dated && rest >= 2*resolution && rest < coarser-2*resolution && r.At > api.MinBound+instant.Day && r.At < api.MaxBound-instant.Day {
			fit = append(fit, r.At)
		}
	}
	if len(fit) <= 3 {
		return fit
	}
	return []instant.Micros{fit[0], fit[len(fit)/2], fit[len(fit)-1]}
}

func coarserThan(resolution instant.Micros) instant.Micros {
	if resolution < instant.Second {
		return instant.Second
	}
	return instant.Day
}

// begin learns the resolution of the source if it is not known yet. Without an upper
// bound the first request may use milliseconds: what the source cuts off the lower
// bound only adds rows. Otherwise rows of an earlier glimpse show the resolution; without
// one the first request is for whole days, and more than was asked for. One assumption
// is not checked, so that a quiet night costs one request: an answer without any row is
// believed. It could hide rows of the first day if a source compared dates only and
// excluded the day of from; that has never been seen.
func (w *walk) begin(ctx context.Context) (done bool, err error) {
	if w.resolution != 0 {
		return false, nil // the one it was split off from knew
	}
	var rows []api.Row
	if w.cursor != forever {
		rows = w.pool.reader.glimpsed(w.query())
	}
	known, err := w.pool.reader.resolution(ctx, w.query(), rows)
	if err != nil || known != 0 {
		w.adopt(known)
		return false, err
	}
	tried := instant.Day
	if w.cursor == forever {
		tried = instant.Millisecond
	}
	w.adopt(tried)
	page, err := w.pool.reader.client.List(ctx, w.query(), around(w.low, w.cursor, tried), 0, api.MaxTake)
	if err != nil {
		return false, err
	}
	if !w.pool.complete(page) || (tried != instant.Day && len(page.Rows) > 0) {
		found, err := w.pool.reader.resolution(ctx, w.query(), page.Rows)
		w.adopt(cmp.Or(found, instant.Day))
		if err != nil || w.resolution != tried {
			return false, err
		}
	}
	w.learn(page, 0)
	return w.advance(ctx, page, checkpoints.Interval{})
}

// adopt draws the bounds of this walk to a resolution from now on.
func (w *walk) adopt(resolution instant.Micros) {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.resolution = resolution
}

// coarsen goes on in the next coarser unit, which the source has shown to compare in.
func (w *walk) coarsen() {
	w.pool.reader.mu.Lock()
	w.pool.reader.learn(w.query(), coarserThan(w.resolution))
	w.pool.reader.mu.Unlock()
	w.adopt(coarserThan(w.resolution))
	w.prev = nil
}

// forever is above every timestamp: no upper bound.
const forever = instant.Micros(1 << 62)

// around are bounds that get every row of [low, high) from a source that honours
// bounds to the resolution, whether it includes the bound itself or not, and whether
// it cuts the bound down or compares in whole units. Days get more room, since a
// source that knows only dates may count them in its own time zone.
func around(low, high, resolution instant.Micros) api.Bounds {
	b := api.Bounds{From: low.Floor(resolution) - resolution, To: (high + resolution - 1).Floor(resolution)}
	if resolution == instant.Day {
		b.From -= instant.Day
		b.To += instant.Day
	}
	return b
}
