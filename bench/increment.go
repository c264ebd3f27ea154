package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// incrementGoal is in seconds, publishing included.
const incrementGoal = 2

// increments adds a day's rows to a short and to a long history, in turn. They
// differ in nothing but the days before. The published DuckDB file is
// copied each time, so that part grows with history.
func (l *lab) increments(ctx context.Context) error {
	runs := map[int][]syncRun{}
	for range l.Repeats {
		for _, rows := range []int{l.short(), l.long()} {
			s, err := l.history(ctx, rows)
			if err != nil {
				return err
			}
			l.logf("increment of %d rows on %d", l.perDay(), s.simulator.rows())
			run, err := l.increment(ctx, s)
			if err != nil {
				return err
			}
			runs[rows] = append(runs[rows], run)
		}
	}
	long, short := bestRun(runs[l.long()]), bestRun(runs[l.short()])
	name := fmt.Sprintf("%s new rows on %s / %s", humanize.Comma(int64(l.perDay())),
		humanize.Comma(l.histories[l.long()].filled.rows()), humanize.Comma(l.histories[l.short()].filled.rows()))
	l.report.costs("increment", name, long.cost, short.cost, noGoal, noGoal)
	l.report.value("increment", "wall, the long history", long.Wall.Seconds(), unitSeconds, atMost(incrementGoal))
	l.report.value("increment", "peak resident, the long history", float64(long.Peak), unitBytes, atMost(memoryGoal))
	return nil
}

// increment lets a day pass and syncs it.
func (l *lab) increment(ctx context.Context, s *site) (syncRun, error) {
	if err := s.simulator.send(command{Pass: 24 * time.Hour, Rows: l.perDay()}); err != nil {
		return syncRun{}, err
	}
	return l.sync(ctx, s, map[string]int{"alerts": l.perDay(), "violations": 0})
}
