package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/dustin/go-humanize"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// leastRoom is what a run needs in any case: DuckDB's log up to its checkpoint.
const leastRoom = 16 << 20

// checkRoom tries whether data_dir takes files and has room for a run, so that a
// run that cannot end well asks nothing of the API.
func (w *Warehouse) checkRoom() error {
	const doing = "check data_dir"
	dir := w.options.Dir
	lake := filepath.Join(dir, "lake")
	if err := os.Mkdir(lake, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return duckdb.Wrap(doing, err)
	}
	copied, err := w.copied()
	if err != nil {
		return duckdb.Wrap(doing, err)
	}
	for _, folder := range []struct {
		path string
		need uint64
	}{{dir, leastRoom + copied}, {filepath.Dir(w.path), leastRoom}, {lake, leastRoom}} {
		if err := tryRoom(folder.path, folder.need); err != nil {
			return duckdb.Wrap(doing, err)
		}
	}
	return nil
}

// copied is the size of the copy that will be published. It is made beside the
// old one.
func (w *Warehouse) copied() (bytes uint64, err error) {
	if !w.options.Copied {
		return 0, nil
	}
	info, err := os.Lstat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return uint64(info.Size()), nil
}

// tryRoom looks for room first: on a full disk a file cannot be written either,
// and the reason is what helps.
func tryRoom(folder string, need uint64) error {
	free, known, err := freeBytes(folder)
	if err != nil {
		return fmt.Errorf("look for room in %s: %w", folder, err)
	}
	if known && free < need {
		return fmt.Errorf("no room in %s: %s are free, a run needs %s: %w", folder, humanize.IBytes(free), humanize.IBytes(need), syscall.ENOSPC)
	}
	file, err := durable.Create(filepath.Join(folder, "room"))
	if err != nil {
		return fmt.Errorf("not writable: %w", err)
	}
	_, err = file.WriteString("room")
	if err = errors.Join(err, file.Sync(), file.Abort()); err != nil {
		return fmt.Errorf("not writable: %w", err)
	}
	return nil
}
