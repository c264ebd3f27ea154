package extract

import (
	"context"
	"sync"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// grains remembers, for each kind of list, how finely the source honours from
// and to. What a bound cuts off leaves no trace in an answer: a source that cuts
// 15:00 down to midnight simply has no rows after midnight. So no bound is
// trusted to a grain before a row that is known to exist was found by bounds
// drawn closely around it; until then all questions are asked in whole days.
type grains struct {
	mu    sync.Mutex
	known map[endpoint]instant.Micros
	seen  map[endpoint][]row // rows that are known to exist, to try bounds on
}

// endpoint is what may be implemented differently from the others.
type endpoint struct {
	list     List
	byPolicy bool
}

func (q Query) endpoint() endpoint { return endpoint{q.List, q.PolicyPath != ""} }

// grainOf is what is known; 0 is nothing. With try set, rows that were seen
// before are asked for again to find out.
func (c *Client) grainOf(ctx context.Context, q Query, try bool) (instant.Micros, error) {
	c.grains.mu.Lock()
	known, seen := c.grains.known[q.endpoint()], c.grains.seen[q.endpoint()]
	c.grains.mu.Unlock()
	if known != 0 || !try || len(telling(seen, instant.Millisecond))+len(telling(seen, instant.Second)) == 0 {
		return known, nil
	}
	return c.calibrate(ctx, q, seen)
}

// saw remembers rows that exist.
func (c *Client) saw(q Query, rows []row) {
	c.grains.mu.Lock()
	defer c.grains.mu.Unlock()
	c.grains.seen[q.endpoint()] = rows
}

// coarsen notes that the source honours this grain, and none that is finer if a
// coarser one is known.
func (c *Client) coarsen(q Query, grain instant.Micros) {
	c.grains.mu.Lock()
	defer c.grains.mu.Unlock()
	c.grains.known[q.endpoint()] = max(grain, c.grains.known[q.endpoint()])
}

// calibrate finds the grain by asking for rows that an answer just gave. The
// lock is held meanwhile: walks that begin together need the same finding.
func (c *Client) calibrate(ctx context.Context, q Query, rows []row) (instant.Micros, error) {
	c.grains.mu.Lock()
	defer c.grains.mu.Unlock()
	if grain := c.grains.known[q.endpoint()]; grain != 0 {
		return grain, nil
	}
	tried := false
	for _, grain := range []instant.Micros{instant.Millisecond, instant.Second} {
		for _, at := range telling(rows, grain) {
			tried = true
			found, _, err := c.finds(ctx, q, at, grain)
			if err != nil {
				return 0, err
			}
			if found {
				c.grains.known[q.endpoint()] = grain
				return grain, nil
			}
		}
	}
	if tried {
		c.grains.known[q.endpoint()] = instant.Day
	}
	return instant.Day, nil
}

// finds asks for one grain around an instant that has a row. Finding one there
// proves that bounds are not narrowed to a coarser grain: cut down to that, the
// upper bound would lie below the row, or the lower one above it.
func (c *Client) finds(ctx context.Context, q Query, at, grain instant.Micros) (bool, *response, error) {
	b := bounds{from: at.Floor(grain) - grain, to: at.Floor(grain) + grain}
	page, answer, err := c.list(ctx, q, q.parameters(b, 0, 1))
	if err != nil {
		return false, nil, err
	}
	for _, r := range page.rows {
		if r.ok && r.at >= b.from && r.at <= b.to {
			return true, answer, nil
		}
	}
	return false, answer, nil
}

// telling picks up to three instants at which a source of this grain and one of
// the next coarser answer differently. Three, since a row may vanish.
func telling(rows []row, grain instant.Micros) []instant.Micros {
	coarser := instant.Second
	if grain == instant.Second {
		coarser = instant.Day
	}
	var fit []instant.Micros
	for _, r := range rows {
		rest := (r.at - r.at.Floor(coarser)).Floor(grain)
		if r.ok && rest >= 2*grain && rest < coarser-2*grain && r.at > firstYear+instant.Day && r.at < lastYear-instant.Day {
			fit = append(fit, r.at)
		}
	}
	if len(fit) <= 3 {
		return fit
	}
	return []instant.Micros{fit[0], fit[len(fit)/2], fit[len(fit)-1]}
}
