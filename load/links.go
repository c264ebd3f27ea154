package load

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// opened are the files and folders of data_dir that are opened by their path. A link in
// the place of one would lead the lock, DuckDB or a publisher to another file. Files that
// are renamed into place need no check: the rename replaces the link.
var opened = []struct {
	name   string
	folder bool
}{
	{"state", true},
	{"state/lock", false},
	{"state/tmp", true},
	{"state/warehouse.duckdb", false},
	{"state/warehouse.duckdb.wal", false},
	{"state/warehouse.duckdb.wal.checkpoint", false},
	{"state/warehouse.duckdb.wal.recovery", false},
	{"lake", true},
}

// checkLinks refuses links and anything else that is not a plain file or folder. data_dir
// itself may be a link: that is the operator's choice.
func checkLinks(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return duckdb.Wrap("open data_dir", err)
	}
	defer func() { _ = root.Close() }()
	for _, place := range opened {
		info, err := root.Lstat(filepath.FromSlash(place.name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return duckdb.Wrap("open data_dir", err)
		case place.folder && !info.IsDir():
			return duckdb.Wrap("open data_dir", durable.NotPlain(filepath.Join(dir, place.name), "folder"))
		case !place.folder && !info.Mode().IsRegular():
			return duckdb.Wrap("open data_dir", durable.NotPlain(filepath.Join(dir, place.name), "file"))
		}
	}
	return nil
}

// sweepSpills removes what a killed run spilled to disk, and anything else in the folder
// where DuckDB spills.
func sweepSpills(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return duckdb.Wrap("sweep data_dir", err)
	}
	defer func() { _ = root.Close() }()
	if _, err := root.Lstat("state/tmp"); errors.Is(err, fs.ErrNotExist) {
		return nil // a folder that is not writable is reported later, and better
	}
	return duckdb.Wrap("sweep data_dir", root.RemoveAll("state/tmp"))
}
