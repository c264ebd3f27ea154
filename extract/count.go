package extract

import (
	"context"

	"github.com/flashback-sync/flashback-sync/internal/instant"
)

// Count asks how many rows a job has, without reading them.
func (c *Client) Count(ctx context.Context, job Job) (int, error) {
	page, err := c.page(ctx, job.Query, bounds{
		from: instant.Of(job.Interval.From), to: instant.Of(job.Interval.To), open: job.Open,
	}, 0, 1)
	if err != nil {
		return 0, err
	}
	return page.total, nil
}
