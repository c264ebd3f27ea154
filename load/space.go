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

// leastSpace is what every run needs: DuckDB's log up to its checkpoint.
const leastSpace = 16 << 20

// checkSpace checks that data_dir is writable and has space for a run, so that a run that
// must fail sends no request.
func (w *Warehouse) checkSpace() error {
	const doing = "check data_dir"
	dir := w.options.Dir
	lake := filepath.Join(dir, "lake")
	if err := os.Mkdir(lake, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return duckdb.Wrap(doing, err)
	}
	var copied uint64 // the copy that will be published is written beside the old one
	if info, err := os.Lstat(w.path); err == nil && w.options.Copied {
		copied = uint64(info.Size())
	}
	for _, folder := range []struct {
		path string
		need uint64
	}{{dir, leastSpace + copied}, {filepath.Dir(w.path), leastSpace}, {lake, leastSpace}} {
		if err := trySpace(folder.path, folder.need); err != nil {
			return duckdb.Wrap(doing, err)
		}
	}
	return nil
}

// trySpace checks the free space first: on a full disk no file can be written either, and
// the reason helps more.
func trySpace(folder string, need uint64) error {
	free, known, err := freeBytes(folder)
	if err != nil {
		return fmt.Errorf("read the free space of %s: %w", folder, err)
	}
	if known && free < need {
		return fmt.Errorf("not enough space in %s: %s are free, a run needs %s: %w", folder, humanize.IBytes(free), humanize.IBytes(need), syscall.ENOSPC)
	}
	file, err := durable.Create(filepath.Join(folder, "space"))
	if err != nil {
		return fmt.Errorf("not writable: %w", err)
	}
	_, err = file.WriteString("space")
	if err = errors.Join(err, file.Sync(), file.Abort()); err != nil {
		return fmt.Errorf("not writable: %w", err)
	}
	return nil
}
