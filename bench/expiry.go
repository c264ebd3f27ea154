package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dustin/go-humanize"
)

// expiry compares an increment on the long history in which the oldest day of every stream
// expires with one in which nothing does, in turn.
func (l *lab) expiry(ctx context.Context) error {
	s, err := l.history(ctx, l.long())
	if err != nil {
		return err
	}
	plain, err := os.ReadFile(s.settings)
	if err != nil {
		return err
	}
	var without, with []syncRun
	for n := range l.Repeats {
		run, err := l.increment(ctx, s)
		if err != nil {
			return err
		}
		without = append(without, run)
		// After the day that the next increment adds, the first that is kept is the one after
		// the oldest.
		now := s.simulator.status.Now.AddDate(0, 0, 1)
		keep := int(now.Sub(s.simulator.begun.Oldest)/(24*time.Hour)) - n - 1
		if err := os.WriteFile(s.settings, fmt.Appendf(plain, "retention: {alerts: %[1]dd, violations: %[1]dd}\n", keep), 0o600); err != nil { //nolint:gosec // a file of our own
			return err
		}
		l.logf("expiry of the oldest of %d days", keep+1)
		if run, err = l.increment(ctx, s); err != nil {
			return err
		}
		with = append(with, run)
		if err := os.WriteFile(s.settings, plain, 0o600); err != nil { //nolint:gosec // a file of our own
			return err
		}
	}
	expiring, usual := bestRun(with), bestRun(without)
	name := fmt.Sprintf("a day of %s rows leaves %s", humanize.Comma(int64(2*l.perDay())), humanize.Comma(s.filled.rows()))
	l.report.costs("expiry", name, expiring.cost, usual.cost, noGoal, noGoal)
	l.report.value("expiry", "peak resident", float64(expiring.Peak), unitBytes, atMost(memoryGoal))
	return nil
}
