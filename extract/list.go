package extract

import (
	"context"
	"net/url"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// page asks a list for one page.
func (c *Client) page(ctx context.Context, q Query, b bounds, skip, take int) (*answer, error) {
	page, _, err := c.list(ctx, q, q.parameters(b, skip, take))
	if err != nil {
		return nil, err
	}
	page.bounds = b
	return page, nil
}

// Glimpse is what the cheapest question there is tells of a list.
type Glimpse struct {
	Now    time.Time // the source's clock, or ours where it sends none
	Newest time.Time // of the rows; zero if there is none that is dated
	Total  int       // rows that the query matches
	First  *FirstPage
}

// FirstPage is the answer to the first question of an open job. Nil is none.
type FirstPage struct{ answer *answer }

// Peek asks for the newest row only, of those since from.
func (c *Client) Peek(ctx context.Context, q Query, from time.Time) (Glimpse, error) {
	seen, _, err := c.glimpse(ctx, q, bounds{from: instant.Of(from), to: forever, open: true}, 1)
	return seen, err
}

// Begin asks for the first page of an open job that begins at from: it tells what
// Peek does, and the job need not ask for that page again.
func (c *Client) Begin(ctx context.Context, q Query, from time.Time) (Glimpse, error) {
	b := around(instant.Of(from), forever, true, instant.Millisecond)
	seen, page, err := c.glimpse(ctx, q, b, MaxTake)
	if err == nil {
		page.bounds = b
		seen.First = &FirstPage{page}
	}
	return seen, err
}

// Recall asks for one row that should be at an instant. If it is there the grain
// is known, too, and no walk needs to ask for it. Of a Glimpse it gives the clock
// only. An instant that could not tell the grain is not asked for.
func (c *Client) Recall(ctx context.Context, q Query, at time.Time) (seen Glimpse, asked bool, err error) {
	held := row{at: instant.Of(at), ok: true}
	if len(telling([]row{held}, instant.Millisecond)) == 0 {
		return seen, false, nil
	}
	found, answer, err := c.finds(ctx, q, held.at, instant.Millisecond)
	if err != nil {
		return seen, true, err
	}
	if found {
		c.coarsen(q, instant.Millisecond)
	}
	return Glimpse{Now: c.clock(answer)}, true, nil
}

func (c *Client) glimpse(ctx context.Context, q Query, b bounds, take int) (Glimpse, *answer, error) {
	page, answer, err := c.list(ctx, q, q.parameters(b, 0, take))
	if err != nil {
		return Glimpse{}, nil, err
	}
	c.saw(q, page.rows)
	seen := Glimpse{Now: c.clock(answer), Total: page.total}
	if newest, dated := page.newest(); dated {
		seen.Newest = newest.Time()
	}
	return seen, page, nil
}

func (c *Client) list(ctx context.Context, q Query, parameters url.Values) (*answer, *response, error) {
	var page *answer
	response, err := c.get(ctx, q.segments(), parameters, func(body []byte) (err error) {
		page, err = parsePage(body, q.List)
		return err
	})
	return page, response, err
}
