package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

// streams in the order in which they are read.
var streams = []string{"alerts", "violations"}

const memoryGoal = 500 << 20

// full is the first sync of a long history.
func (l *lab) full(ctx context.Context) error {
	s, err := l.at(ctx, l.Rows)
	if err != nil {
		return err
	}
	run, r := s.filled, l.report
	rows, requests := 0, int64(0)
	for _, name := range streams {
		rows += s.begun.Rows[name]
		requests += run.Streams[name].Requests
	}
	r.add("full", "rows", float64(rows), unitCount)
	r.add("full", "wall", run.Wall.Seconds(), unitSeconds)
	r.add("full", "CPU of the sync", run.CPU.Seconds(), unitSeconds)
	r.add("full", "rows/s", float64(rows)/run.Wall.Seconds(), unitRate)
	r.add("full", "CPU a row", float64(run.CPU.Nanoseconds())/float64(rows)/1000, unitMicros)
	r.goal("full", "requests / (rows / 100)", float64(requests)*100/float64(rows), unitRatio, 1.02)
	r.goal("full", "peak resident memory", float64(run.PeakRSS), unitBytes, memoryGoal)
	for _, name := range streams {
		rates := run.Streams[name].Tenths
		if len(rates) == 0 {
			continue
		}
		r.tenths(name, rates)
		// Two tenths each, since one holds only a few commits.
		r.goal("full", name+": first fifth / last fifth of the rows/s", fifth(rates[:2])/fifth(rates[len(rates)-2:]), unitRatio, 1.15)
	}
	r.stages("full", run)
	// Asked at last, the simulator says what it used until then.
	if err := s.simulator.tell(command{}); err != nil {
		return err
	}
	r.add("full", "CPU of the simulator", (s.simulator.status.CPU - s.begun.CPU).Seconds(), unitSeconds)
	return nil
}

// fifth is the rate over tenths of equal size.
func fifth(rates []float64) float64 {
	inverse := 0.0
	for _, rate := range rates {
		inverse += 1 / rate
	}
	return float64(len(rates)) / inverse
}

// size is what a row takes in the files.
func (l *lab) size(ctx context.Context) error {
	s, err := l.at(ctx, l.Rows)
	if err != nil {
		return err
	}
	rows := 0
	for _, name := range streams {
		rows += s.begun.Rows[name]
		parquet, err := bytesBelow(filepath.Join(s.dir, "lake", name))
		if err != nil {
			return err
		}
		l.report.add("size", "Parquet, bytes a row of "+name, float64(parquet)/float64(s.begun.Rows[name]), unitNumber)
	}
	for _, file := range []struct{ name, path string }{
		{"private", load.File(s.dir)},
		{"published", filepath.Join(s.dir, snapshot.Name)},
	} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		l.report.add("size", "DuckDB, "+file.name+" file, bytes a row", float64(info.Size())/float64(rows), unitNumber)
	}
	return nil
}

func bytesBelow(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// wall is the time of the stages whose names end so.
func (r syncRun) wall(suffixes ...string) (total time.Duration) {
	for _, s := range r.Stages {
		for _, suffix := range suffixes {
			if strings.HasSuffix(s.Name, suffix) {
				total += s.Wall
			}
		}
	}
	return total
}
