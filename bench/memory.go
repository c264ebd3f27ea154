package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
)

// memoryGoal is for any history, however long.
const memoryGoal = 400e6

// memory is the most a full sync holds, with publishing, of a long history
// against a tenth of it.
func (l *lab) memory(ctx context.Context) error {
	var peaks, sizes []float64
	for _, rows := range []int{l.Rows / 4, l.Rows / 4 * 10} { // of each stream
		source, err := l.simulate(ctx, l.daysOf(rows), l.perDay())
		if err != nil {
			return err
		}
		s := l.site(fmt.Sprintf("memory-%d", rows), source)
		run, err := l.fill(ctx, s)
		if err := firstError(err, s.remove()); err != nil {
			return err
		}
		if rows > l.Rows {
			l.report.stages("memory, the long history", run)
		}
		peaks, sizes = append(peaks, float64(run.PeakRSS)), append(sizes, float64(run.rows()))
	}
	name := fmt.Sprintf("peak resident, %s rows", humanize.Comma(int64(sizes[1])))
	l.report.value("memory", name, peaks[1], unitBytes, atMost(memoryGoal))
	l.report.ratio("memory", fmt.Sprintf("%s / %s rows", name, humanize.Comma(int64(sizes[0]))), peaks[1], peaks[0], unitBytes, atMost(1.15))
	return nil
}
