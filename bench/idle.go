package main

import (
	"context"
	"time"
)

// idle is a run that finds nothing new: with a lookback full of known rows, and
// with an empty one after days without rows.
func (l *lab) idle(ctx context.Context) error {
	s, err := l.at(ctx, l.Rows)
	if err != nil {
		return err
	}
	if err := l.nothingNew(ctx, s, "lookback with rows"); err != nil {
		return err
	}
	if err := s.simulator.tell(command{Pass: 2 * lookback}); err != nil {
		return err
	}
	if _, err := l.sync(ctx, s, map[string]int{"alerts": 0}); err != nil { // covers these days
		return err
	}
	return l.nothingNew(ctx, s, "empty lookback")
}

func (l *lab) nothingNew(ctx context.Context, s *site, name string) error {
	var runs []syncRun
	for range l.Repeats {
		run, err := l.sync(ctx, s, map[string]int{"alerts": 0, "violations": 0})
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	run := best(runs, func(r syncRun) time.Duration { return r.Wall })
	requests, received, allowed := int64(0), int64(0), 0.0
	for _, stream := range run.Streams {
		requests += stream.Requests
		received += stream.Received
		allowed += float64(stream.Received)/100 + 3
	}
	l.report.add("idle", name+": rows read again", float64(received), unitCount)
	l.report.add("idle", name+": requests", float64(requests), unitCount)
	l.report.goal("idle", name+": requests / (rows / 100 + 3 a stream)", float64(requests)/allowed, unitRatio, 1)
	goal := 0.0
	if name == "empty lookback" {
		goal = 300
	}
	l.report.goal("idle", name+": wall, with process start", milliseconds(run.Wall), unitMillis, goal)
	l.report.add("idle", name+": peak resident memory", float64(run.PeakRSS), unitBytes)
	return nil
}
