package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
)

// idleGoal is in milliseconds.
const idleGoal = 300

// idle is a run that finds nothing new: with a lookback full of known rows, and
// with an empty one after days without rows.
func (l *lab) idle(ctx context.Context) error {
	for _, rows := range []int{l.short(), l.long()} {
		s, err := l.history(ctx, rows)
		if err != nil {
			return err
		}
		stored := humanize.Comma(s.filled.rows()) + " rows stored, "
		if err := l.nothingNew(ctx, s, stored+"lookback with rows", noGoal); err != nil {
			return err
		}
		if err := s.simulator.send(command{Pass: 2 * lookback}); err != nil {
			return err
		}
		if err := l.nothingNew(ctx, s, stored+"empty lookback", atMost(idleGoal)); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) nothingNew(ctx context.Context, s *site, name string, goal goal) error {
	l.logf("%s", name)
	// The first run covers the time that passed, and does what is due now and then.
	if _, err := l.sync(ctx, s, nil); err != nil {
		return err
	}
	var runs []syncRun
	for range l.Repeats {
		run, err := l.sync(ctx, s, map[string]int{"alerts": 0, "violations": 0})
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	least, allowed := bestRun(runs), 0.0
	for _, stream := range least.Streams {
		allowed += float64(stream.Unchanged)/100 + 3
		if stream.Updated > 0 {
			return fmt.Errorf("a run with nothing new updated %d rows", stream.Updated)
		}
	}
	l.report.ratio("idle", name+": requests / (rows / 100 + 3 a stream)", float64(least.requests()), allowed, unitCount, atMost(1))
	l.report.value("idle", name+": wall, with process start", milliseconds(least.Wall), unitMillis, goal)
	return nil
}
