package main

import (
	"context"
	"os"
	"path/filepath"
)

// full is the first sync of a long history, against the floors of its parts:
// reading the same pages, inserting the same rows, writing the same Parquet files.
func (l *lab) full(ctx context.Context) error {
	s, err := l.history(ctx, l.Rows)
	if err != nil {
		return err
	}
	runs := []syncRun{s.filled}
	floors := map[string][]cost{}
	for round := range l.Rounds {
		if round > 0 {
			another := l.site("again", s.simulator)
			run, err := l.fill(ctx, another)
			if err := firstError(err, another.remove()); err != nil {
				return err
			}
			runs = append(runs, run)
		}
		if err := l.floors(ctx, s, floors); err != nil {
			return err
		}
	}
	all := leastOf(runs, syncRun.whole)
	read, write := leastCost(floors["read"]), leastCost(floors["copy"])
	insert := leastCost(append(floors["insert"], floors["insert, round"]...)) // whichever size is better here
	r := l.report
	r.value("full", "rows", float64(s.filled.rows()), unitCount, noGoal)
	r.value("full", "rows/s, with publishing", float64(s.filled.rows())/all.Wall.Seconds(), unitRate, noGoal)
	r.costs("full", "committed / (reading pages + inserting)", leastOf(runs, syncRun.committed), read.plus(insert), atMost(1.3), atMost(1.2))
	r.costs("full", "all / (reading pages + inserting)", all, read.plus(insert), atMost(1.3), atMost(1.2))
	r.costs("full", "all / (reading pages + inserting + COPY to Parquet)", all, read.plus(insert).plus(write), noGoal, noGoal)
	r.costs("full", "what is left of the lake after reading / COPY to Parquet", leastOf(runs, syncRun.lake), write, noGoal, noGoal)
	r.costs("full", "floor: reading pages / all", read, all, noGoal, noGoal)
	r.costs("full", "floor: inserting / all", insert, all, noGoal, noGoal)
	r.costs("full", "floor: inserting, DuckDB's defaults / as we set it", leastCost(floors["insert, defaults"]), insert, noGoal, noGoal)
	run := best(runs, syncRun.whole)
	l.steady(run)
	r.stages("full", run)
	return nil
}

// floors measures each part alone.
func (l *lab) floors(ctx context.Context, s *site, floors map[string][]cost) error {
	l.say("floors: reading the pages, inserting the rows, writing Parquet")
	_, took, err := do[int64](ctx, "read", readSpec{URL: s.simulator.status.URL, Connections: s.connections, Rows: s.simulator.begun.Rows})
	if err != nil {
		return err
	}
	floors["read"] = append(floors["read"], took)
	for name, spec := range map[string]insertSpec{
		"insert":           {AsProgram: true, BatchRows: committedRows},
		"insert, round":    {AsProgram: true, BatchRows: roundRows},
		"insert, defaults": {BatchRows: committedRows},
	} {
		file := filepath.Join(l.dir, "floor.duckdb")
		spec.Organisation, spec.Path, spec.MemoryLimit = s.simulator.spec, file, l.MemoryLimit
		inserted, _, err := do[cost](ctx, "insert", spec)
		if err := firstError(err, os.Remove(file)); err != nil {
			return err
		}
		floors[name] = append(floors[name], inserted.Answer)
	}
	_, took, err = l.copied(ctx, s)
	floors["copy"] = append(floors["copy"], took)
	return err
}

// steady compares how fast the rows came at first and at last.
func (l *lab) steady(run syncRun) {
	for _, name := range streams {
		rates := run.Streams[name].Tenths
		if len(rates) == 0 {
			continue
		}
		l.report.tenths(name, rates)
		// Two tenths each, since one holds only a few commits.
		l.report.ratio("full", name+": first fifth / last fifth", fifth(rates[:2]), fifth(rates[len(rates)-2:]), unitRate, atMost(1.15))
	}
}

// fifth is the rate over tenths of equal size.
func fifth(rates []float64) float64 {
	inverse := 0.0
	for _, rate := range rates {
		inverse += 1 / rate
	}
	return float64(len(rates)) / inverse
}
