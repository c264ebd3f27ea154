package status

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// latenessDays is how far back lateness is remembered for.
const latenessDays = 90

// lateness reads how late a stream's rows came; nil if none was late.
func (r *reader) lateness(ctx context.Context, s *Stream) (err error) {
	if !r.tables["sync_lateness"] {
		return nil
	}
	var l Lateness
	l.Classes, err = duckdb.ReadRows(ctx, r.db, func(c *LateClass) []any { return []any{&c.UpTo, &c.Rows, &l.Max} },
		`SELECT up_to_s * 1000000000, sum("rows")::BIGINT, max(max(max_s)) OVER () * 1000000000 FROM sync_lateness
			WHERE stream = $1 AND observed_at >= now() - to_days($2) GROUP BY up_to_s ORDER BY up_to_s`, s.Name, latenessDays)
	for _, class := range l.Classes {
		l.Rows += class.Rows
	}
	if l.Rows > 0 {
		l.Median, l.P99 = l.quantile(0.5), l.quantile(0.99)
		s.Lateness = &l
	}
	return err
}

// quantile is the upper end of its class, but no more than the maximum.
func (l *Lateness) quantile(q float64) time.Duration {
	var sum int64
	for _, class := range l.Classes {
		if sum += class.Rows; float64(sum) >= q*float64(l.Rows) {
			return min(class.UpTo, l.Max)
		}
	}
	return l.Max
}

// Words says how late rows came.
func (l *Lateness) Words() string {
	return fmt.Sprintf("%s %s came late in the last %d days: half of them by up to %s, 99%% by up to %s, the latest by %s.",
		humanize.Comma(l.Rows), english.PluralWord(int(l.Rows), "row", ""), latenessDays, span.Words(l.Median), span.Words(l.P99), span.Words(l.Max))
}

// Nears reports whether rows come so late that the lookback may miss the next:
// it reaches at least half of its length before the end of what was read.
func (l *Lateness) Nears(lookback time.Duration) bool {
	return l != nil && lookback > 0 && l.Max > lookback*3/8
}

// Proposed is a lookback that reaches twice as far as the latest row needs, as the
// configuration takes it.
func (l *Lateness) Proposed() string {
	return fmt.Sprintf("%dh", max((4*l.Max).Round(time.Hour), 6*time.Hour)/time.Hour)
}
