package extract

import (
	"bytes"
	"context"
	"slices"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/checkpoints/instant"
	"github.com/flashback-sync/flashback-sync/extract/api"
)

// within is the part of a range that this walk has to cover. It is
// empty for rows dated after the walk's end.
func (w *walk) within(from, to instant.Micros) checkpoints.Interval {
	from, to = max(from, w.lowest()), min(to, w.high)
	return checkpoints.Interval{From: from.Time(), To: max(from, to).Time()}
}

// yield hands over a page, if there is one, and says what is covered.
func (w *walk) yield(ctx context.Context, answer *api.Answer, covered ...checkpoints.Interval) error {
	page := Page{Job: w.job}
	if answer != nil {
		page = w.give(answer)
	}
	for _, i := range covered {
		if !i.Empty() {
			page.Covered = append(page.Covered, i)
		}
	}
	if len(page.Records)+page.Repeated+len(page.Covered) == 0 {
		return nil
	}
	return w.pool.emit(ctx, page)
}

// give makes a page of the records that the job wants: bounds have a margin, so an
// answer may also have rows that belong to other jobs, and rows of the answer before.
func (w *walk) give(answer *api.Answer) Page {
	page := Page{Job: w.job, Records: make([][]byte, 0, len(answer.Rows))}
	for _, r := range answer.Rows {
		switch {
		case !w.pool.wants(w.job, r):
		case w.prev.gave(r):
			page.Repeated++
		default:
			page.Records = append(page.Records, r.Raw)
		}
	}
	return page
}

// wants reports whether the row belongs to the job.
func (w *Walks) wants(job int, r api.Row) bool {
	j := w.jobs[job]
	return !r.Dated || (r.At >= instant.Of(j.Interval.From) && (j.Open || r.At < instant.Of(j.Interval.To)))
}

// gave reports whether the answer had the same record, byte for byte.
func (s *step) gave(r api.Row) bool {
	return s != nil && slices.ContainsFunc(s.rows, func(given api.Row) bool { return given.At == r.At && bytes.Equal(given.Raw, r.Raw) })
}
