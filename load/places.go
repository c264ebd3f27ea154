package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

// places are what is opened by its path, below data_dir. A link planted in one of
// them would lead the lock, DuckDB or a publisher to someone else's file. What is
// put in its place by a rename needs no such care: the rename replaces the link.
var places = []struct {
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

// checkPlaces refuses links and anything else that is no plain file or folder.
// data_dir itself may be a link: that is the operator's choice.
func checkPlaces(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return duckdb.Wrap("open data_dir", err)
	}
	defer func() { _ = root.Close() }()
	for _, place := range places {
		info, err := root.Lstat(filepath.FromSlash(place.name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return duckdb.Wrap("open data_dir", err)
		case place.folder && !info.IsDir():
			return duckdb.Wrap("open data_dir", notPlain(filepath.Join(dir, place.name), "folder"))
		case !place.folder && !info.Mode().IsRegular():
			return duckdb.Wrap("open data_dir", notPlain(filepath.Join(dir, place.name), "file"))
		}
	}
	return nil
}

// sweepSpilled removes what a killed run spilled to disk, and anything planted
// where DuckDB would spill to.
func sweepSpilled(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return duckdb.Wrap("sweep data_dir", err)
	}
	defer func() { _ = root.Close() }()
	if _, err := root.Lstat("state/tmp"); errors.Is(err, fs.ErrNotExist) {
		return nil // a folder that cannot be written to is told about later, and better
	}
	return duckdb.Wrap("sweep data_dir", root.RemoveAll("state/tmp"))
}

// notPlain says that something else lies where a file or folder of ours belongs.
func notPlain(path, wanted string) error {
	return fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", path, wanted)
}
