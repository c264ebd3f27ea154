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

// Peek asks for the newest row only. It returns the source's clock and how many
// rows the query matches since from; it is the cheapest question there is.
func (c *Client) Peek(ctx context.Context, q Query, from time.Time) (now time.Time, total int, err error) {
	b := bounds{from: instant.Of(from), to: forever, open: true}
	page, answer, err := c.list(ctx, q, q.parameters(b, 0, 1))
	if err != nil {
		return time.Time{}, 0, err
	}
	c.saw(q, page.rows)
	return c.clock(answer), page.total, nil
}

func (c *Client) list(ctx context.Context, q Query, parameters url.Values) (*answer, *response, error) {
	var page *answer
	response, err := c.get(ctx, q.segments(), parameters, func(body []byte) (err error) {
		page, err = parsePage(body, q.List)
		return err
	})
	return page, response, err
}
