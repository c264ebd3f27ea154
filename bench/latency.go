package main

import (
	"context"
	"time"
)

const (
	farLatency     = 20 * time.Millisecond
	farConnections = 16
)

// latency is the full sync of a source that is far away. Nothing can be faster
// than its answers one after the other on every connection.
func (l *lab) latency(ctx context.Context) error {
	source, err := l.simulate(ctx, l.daysOf(l.Rows), l.perDay())
	if err != nil {
		return err
	}
	s := l.site("far", source)
	s.connections = farConnections
	var run syncRun
	requests, simulated, err := source.during(command{Latency: farLatency}, func() (err error) {
		run, err = l.fill(ctx, s)
		return err
	})
	if err := firstError(err, s.remove()); err != nil {
		return err
	}
	r := l.report
	floor := time.Duration(run.rows()/100) * farLatency / farConnections
	r.ratio("latency", "reading / (pages × latency / connections)", run.part(stageRead).Wall.Seconds(), floor.Seconds(), unitSeconds, atMost(1.08))
	r.ratio("latency", "all, with publishing / the same", run.Wall.Seconds(), floor.Seconds(), unitSeconds, atMost(1.08))
	r.ratio("latency", "requests / (rows / 100)", float64(requests), float64(run.rows())/100, unitCount, noGoal)
	r.ratio("latency", "CPU of the simulator / wall", simulated.Seconds(), run.Wall.Seconds(), unitSeconds, noGoal)
	r.stages("latency", run)
	return nil
}
