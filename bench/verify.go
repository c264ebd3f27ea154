package main

import (
	"context"
	"encoding/json"
)

// verify compares the long history with the source, by totals and row by row. It
// ends with an error if anything differs.
func (l *lab) verify(ctx context.Context) error {
	s, err := l.history(ctx, l.long())
	if err != nil {
		return err
	}
	for _, way := range []struct {
		name      string
		arguments []string
	}{
		{"by totals", []string{"verify", "--json"}},
		{"row by row (--full)", []string{"verify", "--json", "--full"}},
	} {
		l.logf("verify %s", way.name)
		output, took, err := l.program(ctx, s, way.arguments...)
		if err != nil {
			return err
		}
		var report struct{ Requests int64 }
		if err := json.Unmarshal(output, &report); err != nil {
			return err
		}
		l.report.value("verify", way.name+": wall", took.Wall.Seconds(), unitSeconds, noGoal)
		l.report.value("verify", way.name+": CPU", took.CPU.Seconds(), unitSeconds, noGoal)
		l.report.value("verify", way.name+": peak resident", float64(took.Peak), unitBytes, atMost(memoryGoal))
		l.report.value("verify", way.name+": requests", float64(report.Requests), unitCount, noGoal)
	}
	return nil
}
