package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// folders are the lake's. Paths in it are below dir, with slashes.
type folders struct {
	dir     string          // absolute
	root    *os.Root        // of dir: nothing outside is touched, whatever links lie there
	renewed map[string]bool // folders that got or lost a folder and are not synced yet
}

// openFolders makes the lake's folder if need be. The caller closes the root.
func openFolders(dir string) (folders, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return folders{}, err
	}
	f := folders{dir: dir, renewed: map[string]bool{}}
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o750)
		if err == nil {
			err = durable.SyncDir(filepath.Dir(dir))
		}
	case err == nil && !info.IsDir():
		err = notPlain(dir, "folder")
	}
	if err == nil {
		f.root, err = os.OpenRoot(dir)
	}
	return f, err
}

func notPlain(place, wanted string) error {
	return fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", place, wanted)
}

// name is where a file of the lake is.
func (f folders) name(file string) string { return filepath.Join(f.dir, filepath.FromSlash(file)) }

// makeFolder makes a partition's folder.
func (f folders) makeFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		err := f.root.Mkdir(filepath.FromSlash(dir), 0o750)
		if err == nil {
			f.renewed[path.Dir(dir)] = true
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return f.checkFolder(folder)
}

// checkFolder refuses a partition's folder that is reached through a link, or is
// none. It may be missing.
func (f folders) checkFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		info, err := f.root.Lstat(filepath.FromSlash(dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.IsDir():
			return notPlain(f.name(dir), "folder")
		}
	}
	return nil
}

// removeFile removes a file, if it is there, and its folder, if that is empty then. It
// reports whether it was there.
func (f folders) removeFile(file string) (removed bool, err error) {
	if err := f.checkFolder(path.Dir(file)); err != nil {
		return false, err
	}
	err = f.root.Remove(filepath.FromSlash(file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	removed = err == nil
	folder := path.Dir(file)
	if err := f.root.Remove(filepath.FromSlash(folder)); err == nil {
		f.renewed[path.Dir(folder)] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		f.renewed[folder] = true // someone keeps other files here
	}
	return removed, nil
}

// removeEmpty removes a partition's folder if nothing is in it.
func (f folders) removeEmpty(folder string) error {
	if err := f.checkFolder(folder); err != nil {
		return err
	}
	if err := f.root.Remove(filepath.FromSlash(folder)); err == nil {
		f.renewed[path.Dir(folder)] = true
	}
	return nil
}

// syncFolders makes the folders durable before the manifest speaks of them.
func (f folders) syncFolders() error {
	for folder := range f.renewed {
		if err := durable.SyncDir(f.name(folder)); err != nil {
			return err
		}
	}
	return nil
}
