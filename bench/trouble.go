package main

import (
	"context"
	"fmt"
)

// trouble is a source that fails one answer in twenty. What has to be asked again
// is one page, not more.
func (l *lab) trouble(ctx context.Context) error {
	source, err := l.simulate(ctx, l.daysOf(l.Rows/10), l.perDay())
	if err != nil {
		return err
	}
	asked := map[int]float64{}
	walls := map[int]float64{}
	for _, status := range []int{0, 429, 500} {
		s := l.site(fmt.Sprintf("answers-%d", status), source)
		requests, _, err := source.during(command{Fail: status}, func() error {
			run, err := l.fill(ctx, s)
			walls[status] = run.Wall.Seconds()
			return err
		})
		if err := firstError(err, s.remove()); err != nil {
			return err
		}
		asked[status] = float64(requests)
	}
	for _, status := range []int{429, 500} {
		name := fmt.Sprintf("5%% of the answers are %d: ", status)
		l.report.ratio("trouble", name+"requests / without", asked[status], asked[0], unitCount, atMost(1.3))
		l.report.ratio("trouble", name+"wall / without", walls[status], walls[0], unitSeconds, noGoal)
	}
	return nil
}
