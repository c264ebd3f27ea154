package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// increments adds a day's rows to a short and to a long history. They differ in
// nothing but how many weeks of the same kind lie before: the last week comes from
// the source, those before it are committed directly.
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
	compared := fmt.Sprintf(": on %s / %s rows", humanize.Comma(int64(weeks*7*l.perDay())), humanize.Comma(int64(2*7*l.perDay())))
	for _, part := range []struct {
		name string
		goal goal
		of   func(syncRun) cost
	}{
		{"private file and lake", atMost(1.3), func(r syncRun) cost { return privateFile(r).plus(r.part(stageLake)) }},
		{"private file", noGoal, privateFile},
		{"lake", noGoal, func(r syncRun) cost { return r.part(stageLake) }},
		{"snapshot", noGoal, func(r syncRun) cost { return r.part(stageSnapshot) }},
		{"the whole process", noGoal, func(r syncRun) cost { return r.cost }},
	} {
		l.report.ratio("increment", part.name+compared,
			milliseconds(part.of(best(longs, part.of)).Wall), milliseconds(part.of(best(shorts, part.of)).Wall), unitMillis, part.goal)
	}
	l.report.stages("increment", best(longs, privateFile))
	return firstError(short.remove(), long.remove())
}

// weeks makes a site with so long a history of alerts, and publishes it.
func (l *lab) weeks(ctx context.Context, weeks int) (*site, error) {
	// Each site has a simulator of its own, since time passes in it.
	source, err := startSimulator(ctx, serveSpec{Days: 7, PerDay: l.perDay(), Gzip: l.Gzip})
	if err != nil {
		return nil, err
	}
	l.others = append(l.others, source)
	s := l.site(fmt.Sprintf("weeks-%d", weeks), source)
	s.start = source.begun.Oldest.AddDate(0, 0, -7*(weeks-1))
	l.say("%s: committing %d weeks of %d rows a day", s.name, weeks-1, l.perDay())
	_, _, err = do[int](ctx, "prefill", prefillSpec{Organisation: source.spec, Dir: s.dir, Start: s.start, MemoryLimit: l.MemoryLimit})
	if err != nil {
		return nil, err
	}
	l.say("%s: publishing them, reading the last week", s.name)
	_, err = l.fill(ctx, s)
	return s, err
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
