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
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/internal/span"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
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

// readLateness reads the histogram. A file of an older release has none.
func readLateness(ctx context.Context, db *sql.DB, stream string) (*lateness, error) {
	var known bool
	err := db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'sync_lateness'").Scan(&known)
	if err != nil || !known {
		return nil, err
	}
	read, err := status.ReadLateness(ctx, db, stream)
	return latenessOf(read), err
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

func (a *app) printLateness(s *statusOutput, lookbacks map[string]time.Duration) {
	for _, stream := range s.Streams {
		l := stream.Lateness
		if l == nil {
			continue
		}
		fmt.Fprintf(a.stdout, "\nLate rows in %s: %s in %d days; half of them up to %s late, 99%% up to %s, the latest %s\n",
			stream.Stream, humanize.Comma(l.Rows), status.LatenessDays, span.Words(l.Median), span.Words(l.P99), span.Words(l.Max))
		if lookback, ok := lookbacks[stream.Stream]; ok && l.Nears(lookback) {
			fmt.Fprintln(a.stdout, text.FgYellow.Sprintf("  that nears the lookback of %s: set streams.%s.lookback to %s, and see 'flashback-sync verify'",
				span.Words(lookback), stream.Stream, l.Proposed()))
		}
	}
}

// lookbacks are those that the configuration sets.
func lookbacks(c *config.Config) map[string]time.Duration {
	all := map[string]time.Duration{}
	if s := c.Streams.Alerts; s != nil {
		all[run.Alerts] = s.Lookback
	}
	if s := c.Streams.Violations; s != nil {
		all[run.Violations] = s.Lookback
	}
	return all
}

// adviseLookback says what `check` makes of the lateness seen so far. Without a
// published file nothing is known, which is no failure.
func (a *app) adviseLookback(ctx context.Context, c *config.Config) error {
	db, err := duckdb.Open(filepath.Join(c.DataDir, "flashback.duckdb"), duckdb.Session{ReadOnly: true})
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		return nil //nolint:nilerr // nothing is published yet, or it is being replaced: there is no advice to give
	}
	defer func() { _ = db.Close() }()
	for _, stream := range []string{run.Alerts, run.Violations} {
		lookback, configured := lookbacks(c)[stream]
		l, err := readLateness(ctx, db, stream)
		if err != nil {
			return err
		}
		if !configured || l == nil {
			continue
		}
		verdict := fmt.Sprintf("the lookback of %s is enough; %s would do", span.Words(lookback), l.Proposed())
		if l.Nears(lookback) {
			verdict = text.FgYellow.Sprintf("set streams.%s.lookback to %s; it is %s", stream, l.Proposed(), span.Words(lookback))
		}
		fmt.Fprintf(a.stdout, "\n%s: %s rows came late in %d days, up to %s: %s\n", stream, humanize.Comma(l.Rows), status.LatenessDays, span.Words(l.Max), verdict)
	}
	return nil
}
