package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
)

// memoryGoal is for any history, however long.
const memoryGoal = 400e6

// memory is the peak of the first sync of a long history, against that of a tenth
// of it.
func (l *lab) memory(ctx context.Context) error {
	short, err := l.history(ctx, l.short())
	if err != nil {
		return err
	}
	long, err := l.history(ctx, l.long())
	if err != nil {
		return err
	}
	name := fmt.Sprintf("peak resident, %s rows", humanize.Comma(long.filled.rows()))
	l.report.value("memory", name, float64(long.filled.Peak), unitBytes, atMost(memoryGoal))
	l.report.ratio("memory", fmt.Sprintf("%s / %s rows", name, humanize.Comma(short.filled.rows())),
		float64(long.filled.Peak), float64(short.filled.Peak), unitBytes, atMost(1.15))
	return nil
}
