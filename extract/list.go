package extract

import (
	"context"
	"net/url"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/instant"
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
}

// Peek asks for the newest row only, of those since from.
func (c *Client) Peek(ctx context.Context, q Query, from time.Time) (Glimpse, error) {
	b := bounds{from: instant.Of(from), to: forever, open: true}
	page, answer, err := c.list(ctx, q, q.parameters(b, 0, 1))
	if err != nil {
		return Glimpse{}, err
	}
	c.saw(q, page.rows)
	seen := Glimpse{Now: c.clock(answer), Total: page.total}
	if newest, dated := page.newest(); dated {
		seen.Newest = newest.Time()
	}
	return seen, nil
}

func (c *Client) list(ctx context.Context, q Query, parameters url.Values) (*answer, *response, error) {
	var page *answer
	response, err := c.get(ctx, q.segments(), parameters, func(body []byte) (err error) {
		page, err = parsePage(body, q.List)
		return err
	})
	return page, response, err
}
