package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

// lateness is how late the rows of a stream came in the last 90 days.
type lateness struct {
	*status.Lateness `json:"-"`

	Count  int64          `json:"rows"`
	MaxS   int64          `json:"max_s"`
	Counts []lateRowClass `json:"histogram"`
}

// lateRowClass is one class of the histogram.
type lateRowClass struct {
	UpTo int64 `json:"up_to_s"`
	Rows int64 `json:"rows"`
}

func latenessOf(read *status.Lateness) *lateness {
	if read == nil {
		return nil
	}
	l := &lateness{Lateness: read, Count: read.Rows, MaxS: int64(read.Max / time.Second)}
	for _, class := range read.Classes {
		l.Counts = append(l.Counts, lateRowClass{UpTo: int64(class.UpTo / time.Second), Rows: class.Rows})
	}
	return l
}

func (a *app) printLateness(s *statusOutput) {
	for _, stream := range s.Streams {
		l := stream.Lateness
		if l == nil {
			continue
		}
		fmt.Fprintf(a.stdout, "\nLate rows in %s: %s in %d days; half of them up to %s late, 99%% up to %s, the latest %s\n",
			stream.Stream, humanize.Comma(l.Rows), status.LatenessDays, span.Words(l.Median), span.Words(l.P99), span.Words(l.Max))
		if l.Nears(stream.lookback) {
			fmt.Fprintln(a.stdout, text.FgYellow.Sprintf("  that nears the lookback of %s: set streams.%s.lookback to %s, and see 'flashback-sync verify'",
				span.Words(stream.lookback), stream.Stream, l.Proposed()))
		}
	}
}

// adviseLookback prints what `check` makes of the lateness seen so far. Without a
// published file nothing is known, which is no failure.
func (a *app) adviseLookback(ctx context.Context, c *config.Config) error {
	known, err := status.Read(ctx, statusOptions(c))
	if err != nil || known.Holdings == nil {
		return nil //nolint:nilerr // nothing is published yet, or it is being replaced: there is no advice to give
	}
	for _, stream := range known.Holdings.Streams {
		l := stream.Lateness
		if l == nil || stream.Lookback == 0 {
			continue
		}
		verdict := fmt.Sprintf("the lookback of %s is enough; %s would do", span.Words(stream.Lookback), l.Proposed())
		if l.Nears(stream.Lookback) {
			verdict = text.FgYellow.Sprintf("set streams.%s.lookback to %s; it is %s", stream.Name, l.Proposed(), span.Words(stream.Lookback))
		}
		fmt.Fprintf(a.stdout, "\n%s: %s rows came late in %d days, up to %s: %s\n", stream.Name, humanize.Comma(l.Rows), status.LatenessDays, span.Words(l.Max), verdict)
	}
	return nil
}
