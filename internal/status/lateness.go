package status

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// LatenessDays is how far back lateness is remembered for.
const LatenessDays = 90

// lateness reads how late a stream's rows came; nil if none was late.
func (r *reader) lateness(ctx context.Context, s *Stream) error {
	var l Lateness
	err := r.eachOf(ctx, "sync_lateness", `SELECT up_to_s, sum("rows")::BIGINT, max(max_s) FROM sync_lateness
			WHERE stream = ? AND observed_at >= now() - to_days(?) GROUP BY up_to_s ORDER BY up_to_s`,
		[]any{s.Name, LatenessDays}, func(rows *sql.Rows) error {
			var upTo, n, latest int64
			err := rows.Scan(&upTo, &n, &latest)
			l.Classes = append(l.Classes, LateClass{UpTo: time.Duration(upTo) * time.Second, Rows: n})
			l.Rows += n
			l.Max = max(l.Max, time.Duration(latest)*time.Second)
			return err
		})
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
