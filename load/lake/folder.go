package lake

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

// folders are the folders of the lake. Paths are below dir, with slashes.
type folders struct {
	dir     string          // absolute
	root    *os.Root        // of dir: no link leads out of it
	changed map[string]bool // folders that got or lost a folder and need an fsync
}

// openFolders makes the lake's folder if needed. The caller closes the root.
func openFolders(dir string) (folders, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return folders{}, err
	}
	f := folders{dir: dir, changed: map[string]bool{}}
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o750)
		if err == nil {
			err = durable.SyncDir(filepath.Dir(dir))
		}
	case err == nil && !info.IsDir():
		err = durable.NotPlain(dir, "folder")
	}
	if err == nil {
		f.root, err = os.OpenRoot(dir)
	}
	return f, err
}

// name is the absolute path of a file of the lake.
func (f folders) name(file string) string { return filepath.Join(f.dir, filepath.FromSlash(file)) }

// makeFolder makes a partition's folder.
func (f folders) makeFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		err := f.root.Mkdir(filepath.FromSlash(dir), 0o750)
		if err == nil {
			f.changed[path.Dir(dir)] = true
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return durable.CheckFolders(f.dir, folder)
}

// removeFile removes a file, if it exists, and then its folder, if that is empty. It reports
// whether the file existed.
func (f folders) removeFile(file string) (removed bool, err error) {
	if err := durable.CheckFolders(f.dir, path.Dir(file)); err != nil {
		return false, err
	}
	err = f.root.Remove(filepath.FromSlash(file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return err == nil, f.removeEmpty(path.Dir(file))
}

// removeEmpty removes a partition's folder if nothing is in it.
func (f folders) removeEmpty(folder string) error {
	if err := durable.CheckFolders(f.dir, folder); err != nil {
		return err
	}
	if err := f.root.Remove(filepath.FromSlash(folder)); err == nil {
		f.changed[path.Dir(folder)] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		f.changed[folder] = true // someone keeps other files here
	}
	return nil
}

// syncFolders fsyncs the folders before the manifest is written.
func (f folders) syncFolders() error {
	for folder := range f.changed {
		if err := durable.SyncDir(f.name(folder)); err != nil {
			return err
		}
	}
	return nil
}
