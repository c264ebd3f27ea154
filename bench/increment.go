package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
)

// increments adds a day's rows to a short and to a long history. They differ in
// nothing but how many weeks of the same kind lie before: the last one comes from
// the source, and is repeated before.
func (l *lab) increments(ctx context.Context) error {
	weeks := max(4, (10*l.Rows+7*l.perDay()-1)/(7*l.perDay())) // at least ten times the rows of a full sync
	short, err := l.weeks(ctx, 2)
	if err != nil {
		return err
	}
	long, err := l.weeks(ctx, weeks)
	if err != nil {
		return err
	}
	l.say("increments of %d rows", l.perDay())
	var shorts, longs []syncRun
	for range l.Repeats {
		for _, s := range []*site{short, long} {
			run, err := l.increment(ctx, s)
			if err != nil {
				return err
			}
			if s == short {
				shorts = append(shorts, run)
			} else {
				longs = append(longs, run)
			}
		}
	}
	compared := fmt.Sprintf(", on %s / %s rows", humanize.Comma(int64(weeks*7*l.perDay())), humanize.Comma(int64(2*7*l.perDay())))
	privateAndLake := func(r syncRun) cost { return privateFile(r).plus(r.lake()) }
	for _, part := range []struct {
		name string
		goal goal
		of   func(syncRun) cost
	}{
		{"private file and lake", atMost(1.3), privateAndLake},
		{"private file", noGoal, privateFile},
		{"lake", noGoal, syncRun.lake},
		{"snapshot", noGoal, syncRun.snapshot},
		{"the whole process", noGoal, syncRun.whole},
	} {
		l.report.costs("increment", part.name+compared, leastOf(longs, part.of), leastOf(shorts, part.of), noGoal, part.goal)
	}
	l.report.stages("increment, short history", best(shorts, privateAndLake))
	l.report.stages("increment, long history", best(longs, privateAndLake))
	return firstError(short.remove(), long.remove())
}

// weeks makes a site with so long a history of alerts.
func (l *lab) weeks(ctx context.Context, weeks int) (*site, error) {
	// Each site has a simulator of its own, since time passes in it.
	source, err := startSimulator(ctx, serveSpec{Days: 7, PerDay: l.perDay(), Gzip: l.Gzip})
	if err != nil {
		return nil, err
	}
	l.others = append(l.others, source)
	s := l.site(fmt.Sprintf("weeks-%d", weeks), source)
	if _, err := l.fill(ctx, s); err != nil {
		return nil, err
	}
	l.say("%s: repeating the week", s.name)
	s.start = s.start.Add(-week * time.Duration(weeks-1))
	if _, _, err := do[int](ctx, "prefill", prefillSpec{Dir: s.dir, Weeks: weeks - 1, Start: s.start}); err != nil {
		return nil, err
	}
	// This run must find nothing to do: the history counts as read and published.
	began := time.Now()
	if _, err := l.sync(ctx, s, map[string]int{"alerts": 0, "violations": 0}); err != nil {
		return nil, err
	}
	if files, _, err := writtenBelow(filepath.Join(s.dir, "lake"), began); err != nil || files > 0 {
		return nil, errors.Join(err, fmt.Errorf("%d files were published again", files))
	}
	return s, nil
}

// increment lets a day pass and syncs it.
func (l *lab) increment(ctx context.Context, s *site) (syncRun, error) {
	if err := s.simulator.tell(command{Pass: 24 * time.Hour, Rows: l.perDay()}); err != nil {
		return syncRun{}, err
	}
	return l.sync(ctx, s, map[string]int{"alerts": l.perDay(), "violations": 0})
}

// privateFile is the cost of reading, committing and closing.
func privateFile(r syncRun) cost {
	return r.part(stageOpen, stageRead, stageSettle, stageCheckpoint)
}
