package main

import (
	"context"
	"fmt"
	"time"
)

// lookback of every sync here. The rows of one day arrive in an increment, so
// each reads about as many rows again as it finds new ones.
const lookback = 48 * time.Hour

// increments adds the same rows to a short and to a long history.
func (l *lab) increments(ctx context.Context) error {
	short, err := l.increment(ctx, l.Rows/10)
	if err != nil {
		return err
	}
	long, err := l.increment(ctx, l.Rows)
	if err != nil {
		return err
	}
	r := l.report
	for _, part := range []struct {
		name string
		goal float64
		cost func(syncRun) time.Duration
	}{
		{"private file", 0, privateFile},
		{"lake", 0, func(s syncRun) time.Duration { return s.wall(stageLake) }},
		{"private file and lake", 1.5, committed},
		{"snapshot", 0, func(s syncRun) time.Duration { return s.wall(stageSnapshot) }},
		{"CPU of the process", 0, func(s syncRun) time.Duration { return s.CPU }},
	} {
		a, b := least(short, part.cost), least(long, part.cost)
		r.add("increment", fmt.Sprintf("%s: on %d rows", part.name, l.Rows/10), milliseconds(a), unitMillis)
		r.add("increment", fmt.Sprintf("%s: on %d rows", part.name, l.Rows), milliseconds(b), unitMillis)
		r.goal("increment", part.name+": ratio", float64(b)/float64(max(a, 1)), unitRatio, part.goal)
	}
	r.stages("increment", best(long, committed))
	return nil
}

// increment lets a day pass, again and again, and syncs each.
func (l *lab) increment(ctx context.Context, rows int) ([]syncRun, error) {
	s, err := l.at(ctx, rows)
	if err != nil {
		return nil, err
	}
	l.say("increments of %d rows on %d", l.perDay(), rows)
	var runs []syncRun
	for range l.Repeats {
		if err := s.simulator.tell(command{Pass: 24 * time.Hour, Rows: l.perDay()}); err != nil {
			return nil, err
		}
		run, err := l.sync(ctx, s, map[string]int{"alerts": l.perDay(), "violations": 0})
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// privateFile is the cost of reading, committing and closing.
func privateFile(r syncRun) time.Duration {
	return r.wall(stageOpen, stageRead, stageSettle, stageCheckpoint)
}

func committed(r syncRun) time.Duration { return privateFile(r) + r.wall(stageLake) }

// best is the run that was disturbed least by what else the machine does.
func best(runs []syncRun, cost func(syncRun) time.Duration) syncRun {
	found := runs[0]
	for _, run := range runs {
		if cost(run) < cost(found) {
			found = run
		}
	}
	return found
}

func least(runs []syncRun, cost func(syncRun) time.Duration) time.Duration {
	return cost(best(runs, cost))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
