package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flashback-sync/flashback-sync/config"
	"github.com/flashback-sync/flashback-sync/internal/pipeline"
	"github.com/flashback-sync/flashback-sync/load"
)

// lateness is how late the rows of a stream came in the last 90 days.
type lateness struct {
	Rows   int64          `json:"rows"`
	Median time.Duration  `json:"-"`
	P99    time.Duration  `json:"-"`
	Max    time.Duration  `json:"-"`
	MaxS   int64          `json:"max_s"`
	Counts []lateRowClass `json:"histogram"`
}

// lateRowClass is one class of the histogram.
type lateRowClass struct {
	UpTo int64 `json:"up_to_s"`
	Rows int64 `json:"rows"`
}

// latenessDays is how far back lateness is remembered for.
const latenessDays = 90

// readLateness reads the histogram. A file of an older release has none.
func readLateness(ctx context.Context, db *sql.DB, stream string) (*lateness, error) {
	var known bool
	err := db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'sync_lateness'").Scan(&known)
	if err != nil || !known {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT up_to_s, sum("rows")::BIGINT, max(max_s) FROM sync_lateness
		WHERE stream = ? AND observed_at >= now() - to_days(?) GROUP BY up_to_s ORDER BY up_to_s`, stream, latenessDays)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	l := &lateness{}
	for rows.Next() {
		var class lateRowClass
		if err := rows.Scan(&class.UpTo, &class.Rows, &l.MaxS); err != nil {
			return nil, err
		}
		l.Counts = append(l.Counts, class)
		l.Rows += class.Rows
	}
	if l.Rows == 0 {
		return nil, rows.Err()
	}
	l.Max = time.Duration(l.MaxS) * time.Second
	l.Median, l.P99 = l.quantile(0.5), l.quantile(0.99)
	return l, rows.Err()
}

// quantile is the upper end of the class that holds it, but no more than the maximum.
func (l *lateness) quantile(q float64) time.Duration {
	var sum int64
	for _, class := range l.Counts {
		if sum += class.Rows; float64(sum) >= q*float64(l.Rows) {
			return min(time.Duration(class.UpTo)*time.Second, l.Max)
		}
	}
	return l.Max
}

// nears reports whether rows come so late that the lookback may miss the next:
// it reaches at least half of its length before the end of what was read.
func (l *lateness) nears(lookback time.Duration) bool {
	return l != nil && l.Max > lookback*3/8
}

// proposed is a lookback that reaches twice as far as the latest row needs.
func (l *lateness) proposed() time.Duration {
	return max((4 * l.Max).Round(time.Hour), 6*time.Hour)
}

func (a *app) printLateness(s *status, lookbacks map[string]time.Duration) {
	for _, stream := range s.Streams {
		l := stream.Lateness
		if l == nil {
			continue
		}
		fmt.Fprintf(a.stdout, "\nLate rows in %s: %s in %d days; half of them up to %s late, 99%% up to %s, the latest %s\n",
			stream.Stream, humanize.Comma(l.Rows), latenessDays, l.Median, l.P99, l.Max)
		if lookback, ok := lookbacks[stream.Stream]; ok && l.nears(lookback) {
			fmt.Fprintln(a.stdout, text.FgYellow.Sprintf("  that nears the lookback of %s: set streams.%s.lookback to %s, and see 'flashback-sync verify'",
				lookback, stream.Stream, l.proposed()))
		}
	}
}

// lookbacks are those that the configuration sets.
func lookbacks(c *config.Config) map[string]time.Duration {
	all := map[string]time.Duration{}
	if s := c.Streams.Alerts; s != nil {
		all[pipeline.Alerts] = s.Lookback
	}
	if s := c.Streams.Violations; s != nil {
		all[pipeline.Violations] = s.Lookback
	}
	return all
}

// adviseLookback says what `check` makes of the lateness seen so far. Without a
// published file nothing is known, which is no failure.
func (a *app) adviseLookback(ctx context.Context, c *config.Config) error {
	db, err := load.OpenDuckDB(filepath.Join(c.DataDir, "flashback.duckdb"), load.Session{ReadOnly: true})
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		return nil //nolint:nilerr // nothing is published yet, or it is being replaced: there is no advice to give
	}
	defer func() { _ = db.Close() }()
	for _, stream := range []string{pipeline.Alerts, pipeline.Violations} {
		lookback, configured := lookbacks(c)[stream]
		l, err := readLateness(ctx, db, stream)
		if err != nil {
			return err
		}
		if !configured || l == nil {
			continue
		}
		verdict := fmt.Sprintf("the lookback of %s is enough; %s would do", lookback, l.proposed())
		if l.nears(lookback) {
			verdict = text.FgYellow.Sprintf("set streams.%s.lookback to %s; it is %s", stream, l.proposed(), lookback)
		}
		fmt.Fprintf(a.stdout, "\n%s: %s rows came late in %d days, up to %s: %s\n", stream, humanize.Comma(l.Rows), latenessDays, l.Max, verdict)
	}
	return nil
}
