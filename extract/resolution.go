package extract

import (
	"context"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// resolutions remembers, for each kind of list, the resolution to which the source
// honours from and to. What a bound cuts off leaves no trace in an answer: a source
// that cuts 15:00 down to midnight simply has no rows after midnight. So no bound
// finer than a day is used before a row that is known to exist was found by bounds
// drawn closely around it.
type resolutions struct {
	mu    sync.Mutex
	known map[endpoint]instant.Micros
	seen  map[endpoint][]api.Row // rows that are known to exist, to try bounds on
}

// endpoint is what may be implemented differently from the others.
type endpoint struct {
	list     api.List
	byPolicy bool
}

func endpointOf(q api.Query) endpoint { return endpoint{q.List, q.PolicyPath != ""} }

// Resolution is the resolution to which the source honours from and to: a
// millisecond, a second or a day. If it is not known yet it is tried on the source's
// newest rows; if these cannot show it, it counts as a second.
func (r *Reader) Resolution(ctx context.Context, q api.Query) (time.Duration, error) {
	resolution, err := r.resolution(ctx, q, true)
	if err != nil || resolution != 0 {
		return duration(resolution), err
	}
	page, err := r.client.List(ctx, q, everything, 0, api.MaxTake)
	if err != nil {
		return 0, err
	}
	if _, err := r.detect(ctx, q, page.Rows); err != nil {
		return 0, err
	}
	resolution, err = r.resolution(ctx, q, false)
	if resolution == 0 {
		resolution = instant.Second
	}
	return duration(resolution), err
}

func duration(m instant.Micros) time.Duration { return time.Duration(m) * time.Microsecond }

// resolution is what is known; 0 is nothing. With try set, rows that were seen before
// are requested again to find out.
func (r *Reader) resolution(ctx context.Context, q api.Query, try bool) (instant.Micros, error) {
	r.resolutions.mu.Lock()
	known, seen := r.resolutions.known[endpointOf(q)], r.resolutions.seen[endpointOf(q)]
	r.resolutions.mu.Unlock()
	if known != 0 || !try || len(probes(seen, instant.Millisecond))+len(probes(seen, instant.Second)) == 0 {
		return known, nil
	}
	return r.detect(ctx, q, seen)
}

// remember keeps rows that exist.
func (r *Reader) remember(q api.Query, rows []api.Row) {
	r.resolutions.mu.Lock()
	defer r.resolutions.mu.Unlock()
	r.resolutions.seen[endpointOf(q)] = rows
}

// learn notes that the source honours this resolution, unless a coarser one is known.
func (r *Reader) learn(q api.Query, resolution instant.Micros) {
	r.resolutions.mu.Lock()
	defer r.resolutions.mu.Unlock()
	r.resolutions.known[endpointOf(q)] = max(resolution, r.resolutions.known[endpointOf(q)])
}

// detect finds the resolution by requesting rows that an answer just gave. The lock
// is held meanwhile: walks that begin together need the same finding.
func (r *Reader) detect(ctx context.Context, q api.Query, rows []api.Row) (instant.Micros, error) {
	r.resolutions.mu.Lock()
	defer r.resolutions.mu.Unlock()
	if known := r.resolutions.known[endpointOf(q)]; known != 0 {
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
				r.resolutions.known[endpointOf(q)] = resolution
				return resolution, nil
			}
		}
	}
	if tried {
		r.resolutions.known[endpointOf(q)] = instant.Day
	}
	return instant.Day, nil
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
	for _, row := range page.Rows {
		if row.Dated && row.At >= b.From && row.At <= b.To {
			return true, page, nil
		}
	}
	return false, page, nil
}

// probes picks up to three instants at which a source of this resolution and one of
// the next coarser answer differently. Three, since a row may vanish.
func probes(rows []api.Row, resolution instant.Micros) []instant.Micros {
	coarser := instant.Second
	if resolution == instant.Second {
		coarser = instant.Day
	}
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
