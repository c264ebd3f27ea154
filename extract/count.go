package extract

import (
	"context"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
)

// Grain is the resolution to which the source honours from and to: a
// millisecond, a second or a day. Where nobody knows it yet it is tried on the
// source's newest rows; what cannot be told counts as a second.
func (c *Client) Grain(ctx context.Context, q Query) (time.Duration, error) {
	grain, err := c.grainOf(ctx, q, true)
	if err != nil || grain != 0 {
		return duration(grain), err
	}
	page, err := c.page(ctx, q, bounds{from: firstYear - 1, to: forever, open: true}, 0, MaxTake)
	if err != nil {
		return 0, err
	}
	if _, err := c.calibrate(ctx, q, page.rows); err != nil {
		return 0, err
	}
	grain, err = c.grainOf(ctx, q, false)
	if grain == 0 {
		grain = instant.Second
	}
	return duration(grain), err
}

func duration(m instant.Micros) time.Duration { return time.Duration(m) * time.Microsecond }

// Count asks how many rows the query matches in an interval, without reading
// them. Whether bounds count themselves in is not known, so they are drawn a
// grain wider below and may hold the grain above: rows within a grain of either
// end may be counted or not. None within the interval is left out.
func (c *Client) Count(ctx context.Context, q Query, i checkpoints.Interval) (int, error) {
	grain, err := c.Grain(ctx, q)
	if err != nil {
		return 0, err
	}
	b := around(instant.Of(i.From), instant.Of(i.To), false, instant.Micros(grain/time.Microsecond))
	page, err := c.page(ctx, q, b, 0, 1)
	if err != nil {
		return 0, err
	}
	return page.total, nil
}
