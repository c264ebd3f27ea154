package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// full is the first sync of a long history, publishing included, against the
// floors of its parts: reading the same pages and inserting the same rows.
func (l *lab) full(ctx context.Context) error {
	s, err := l.history(ctx, l.long())
	if err != nil {
		return err
	}
	runs := []syncRun{s.filled}
	var reads, inserts []cost
	for round := range l.Rounds {
		if round > 0 {
			another, err := l.site("again", s.simulator)
			if err != nil {
				return err
			}
			run, err := l.fill(ctx, another)
			if err := errors.Join(err, another.remove()); err != nil {
				return err
			}
			runs = append(runs, run)
		}
		read, insert, err := l.floors(ctx, s)
		if err != nil {
			return err
		}
		reads, inserts = append(reads, read), append(inserts, insert)
	}
	all, read, insert := bestRun(runs), leastCost(reads), leastCost(inserts)
	r := l.report
	r.value("full", "rows", float64(all.rows()), unitCount, noGoal)
	r.value("full", "rows/s", float64(all.rows())/all.Wall.Seconds(), unitRate, noGoal)
	r.costs("full", "all / (reading pages + inserting)", all.cost, read.plus(insert), atMost(1.3), atMost(1.2))
	r.costs("full", "floor: reading pages / all", read, all.cost, noGoal, noGoal)
	r.costs("full", "floor: inserting / all", insert, all.cost, noGoal, noGoal)
	for _, name := range streams {
		got := all.Streams[name]
		r.ratio("full", "requests of "+name+" / (rows / 100)", float64(got.Requests), float64(got.Inserted)/100, unitCount, atMost(1.02))
	}
	return l.sizes(s)
}

// floors measures each part alone.
func (l *lab) floors(ctx context.Context, s *site) (read, insert cost, err error) {
	l.logf("floors: reading the pages, inserting the rows")
	err = read.time(func() error { return l.readPages(ctx, s.simulator.begun) })
	if err != nil {
		return read, insert, err
	}
	file := filepath.Join(l.dir, "floor.duckdb")
	process, err := again(ctx, "insert", insertSpec{Organisation: s.simulator.spec, Path: file})
	if err != nil {
		return read, insert, err
	}
	output, _, err := run(process)
	if err == nil {
		err = json.Unmarshal(output, &insert)
	}
	return read, insert, errors.Join(err, os.Remove(file))
}

// sizes are the bytes of a row in the files.
func (l *lab) sizes(s *site) error {
	manifest, err := lake.ReadManifest(filepath.Join(s.dir, "lake"))
	if err != nil {
		return err
	}
	rows, parquet := float64(s.filled.rows()), int64(0)
	for _, file := range manifest.Files {
		parquet += file.Bytes
	}
	l.report.value("full", "Parquet, bytes a row", float64(parquet)/rows, unitNumber, noGoal)
	for _, file := range []struct{ name, path string }{
		{"private", load.File(s.dir)},
		{"published", filepath.Join(s.dir, snapshot.Name)},
	} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		l.report.value("full", "DuckDB, "+file.name+" file, bytes a row", float64(info.Size())/rows, unitNumber, noGoal)
	}
	return nil
}
