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

func (l *publication) openRoot() error {
	info, err := os.Lstat(l.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(l.Dir, 0o750)
		if err == nil {
			err = durable.SyncDir(filepath.Dir(l.Dir))
		}
	case err == nil && !info.IsDir():
		err = notPlain(l.Dir, "folder")
	}
	if err == nil {
		l.root, err = os.OpenRoot(l.Dir)
	}
	return err
}

func notPlain(place, wanted string) error {
	return fmt.Errorf("%s is not a plain %s: remove it (inside data_dir no link is followed)", place, wanted)
}

// makeFolder makes a partition's folder. Paths are below Dir, with slashes.
func (l *publication) makeFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		err := l.root.Mkdir(filepath.FromSlash(dir), 0o750)
		if err == nil {
			l.renewed[path.Dir(dir)] = true
		} else if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return l.checkFolder(folder)
}

// checkFolder refuses a partition's folder that is reached through a link, or is
// none. It may be missing.
func (l *publication) checkFolder(folder string) error {
	for _, dir := range []string{path.Dir(folder), folder} {
		info, err := l.root.Lstat(filepath.FromSlash(dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !info.IsDir():
			return notPlain(filepath.Join(l.Dir, filepath.FromSlash(dir)), "folder")
		}
	}
	return nil
}

// removeFile removes a file, if it is there, and its folder, if that is empty then.
func (l *publication) removeFile(file string) error {
	if err := l.checkFolder(path.Dir(file)); err != nil {
		return err
	}
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
