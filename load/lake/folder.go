package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

func (l *publication) openRoot() (err error) {
	if _, err = os.Stat(l.Dir); errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(l.Dir, 0o750); err == nil {
			err = durable.SyncDir(filepath.Dir(l.Dir))
		}
	}
	if err == nil {
		l.root, err = os.OpenRoot(l.Dir)
	}
	return err
}

// makeFolder makes a partition's folder and refuses one that leads out of the
// lake. Paths are below Dir, with slashes.
func (l *publication) makeFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		err := l.root.Mkdir(filepath.FromSlash(dir), 0o750)
		if err == nil {
			l.renewed[path.Dir(dir)] = true
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	info, err := l.root.Stat(filepath.FromSlash(folder))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", folder)
	}
	return err
}

// removeFile removes a file, if it is there, and its folder, if that is empty then.
func (l *publication) removeFile(file string) error {
	err := l.root.Remove(filepath.FromSlash(file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	folder := path.Dir(file)
	if err := l.root.Remove(filepath.FromSlash(folder)); err == nil {
		l.renewed[path.Dir(folder)] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		l.renewed[folder] = true // someone keeps other files here
	}
	return nil
}

// syncFolders makes the folders durable before the manifest speaks of them.
func (l *publication) syncFolders() error {
	for folder := range l.renewed {
		if err := durable.SyncDir(filepath.Join(l.Dir, filepath.FromSlash(folder))); err != nil {
			return err
		}
	}
	return nil
}
