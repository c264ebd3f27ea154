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

// size is what a row takes in the files.
func (l *lab) size(ctx context.Context) error {
	s, err := l.history(ctx, l.Rows)
	if err != nil {
		return err
	}
	for _, name := range streams {
		parquet, err := bytesBelow(filepath.Join(s.dir, "lake", name))
		if err != nil {
			return err
		}
		l.report.value("size", "Parquet, bytes a row of "+name, float64(parquet)/float64(s.simulator.begun.Rows[name]), unitNumber, noGoal)
	}
	for _, file := range []struct{ name, path string }{
		{"private", load.File(s.dir)},
		{"published", filepath.Join(s.dir, snapshot.Name)},
	} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		l.report.value("size", "DuckDB, "+file.name+" file, bytes a row", float64(info.Size())/float64(s.simulator.rows()), unitNumber, noGoal)
	}
	return nil
}

// bytesBelow are those of all Parquet files in a folder.
func bytesBelow(dir string) (int64, error) {
	_, bytes, err := writtenBelow(dir, time.Time{})
	return bytes, err
}

// writtenBelow counts the Parquet files in a folder that were written since.
func writtenBelow(dir string, since time.Time) (files int, bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		info, err := entry.Info()
		if err == nil && !info.ModTime().Before(since) {
			files, bytes = files+1, bytes+info.Size()
		}
		return err
	})
	return files, bytes, err
}
