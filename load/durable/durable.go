// Package durable puts files in their place so that a reader sees the old file
// or the new one, never a half of either, also after a crash or a power cut.
//
// A file is written beside its place under a name that begins with a dot and
// holds ".tmp-", synced, closed, renamed over its place, and the folder synced.
// What a crash leaves behind is such a temporary file; Sweep removes it.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

const mark = ".tmp-"

// File is a file being written beside its place. Write to it, then Commit;
// Abort gives up and may be deferred in any case.
type File struct {
	*os.File
	target   string
	finished bool // synced and closed, or given up
	done     bool
}

// usual is the mode of files that replace none: the program's group may read them.
const usual = 0o640

// Create opens a new temporary file beside the target.
func Create(target string) (*File, error) {
	file, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+mark+"*")
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(usual); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	return &File{File: file, target: target}, nil
}

// Finish syncs and closes the file, and leaves it beside its place: what takes
// long is done, and Commit renames only.
func (f *File) Finish() error {
	if f.done {
		return fs.ErrClosed
	}
	if f.finished {
		return nil
	}
	f.finished = true
	return errors.Join(f.Sync(), f.File.Close())
}

// Commit finishes the file and puts it in its place. It takes over the group, access list
// and mode of the file that it replaces.
func (f *File) Commit() error {
	if f.done {
		return fs.ErrClosed
	}
	err := f.Finish()
	f.done = true
	if err == nil {
		err = inherit(f.Name(), f.target, usual, 0)
	}
	if err == nil {
		err = rename(f.Name(), f.target)
	}
	if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return nil
}

// Abort removes the temporary file unless it has been committed.
func (f *File) Abort() error {
	if f.done {
		return nil
	}
	f.done = true
	if f.finished {
		return remove(f.Name())
	}
	return errors.Join(f.File.Close(), remove(f.Name()))
}

// Write puts a whole file in its place. It may be swept away meanwhile by a run that
// begins: then it is written again.
func Write(target string, content []byte) error {
	for try := 1; ; try++ {
		err := write(target, content)
		if !errors.Is(err, fs.ErrNotExist) || try == 3 {
			return err
		}
	}
}

func write(target string, content []byte) error {
	file, err := Create(target)
	if err != nil {
		return err
	}
	defer func() { _ = file.Abort() }()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Commit()
}

// Install puts a finished, closed file in its place. Both are in one folder.
func Install(temporary, target string) error {
	file, err := os.Open(temporary)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return rename(temporary, target)
}

// InstallReadOnly is Install of a file that nobody is to write to: its owner may not, and
// group, access list and all other bits are those of the file that it replaces.
func InstallReadOnly(temporary, target string) error {
	if err := inherit(temporary, target, 0o440, 0o200); err != nil {
		return err
	}
	return Install(temporary, target)
}

func rename(temporary, target string) error {
	if err := os.Rename(temporary, target); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(target))
}

// SyncDir makes the entries of a folder durable.
func SyncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		refused.Store(true)
		err = nil
	}
	if err := errors.Join(err, folder.Close()); err != nil {
		return fmt.Errorf("fsync %s: %w", dir, err)
	}
	return nil
}

var refused atomic.Bool

// FoldersRefused reports whether a file system does not know how to make the entries of
// a folder durable, as SMB and some FUSE do not: after a power cut an older file may be
// in the place of one that was renamed.
func FoldersRefused() bool { return refused.Load() }

// Sweep removes what crashes left behind in a folder and in those below it, but for
// hidden ones and those that cannot be read, which are not ours. The folder itself may
// be a link; below it none is followed.
func Sweep(dir string) error { return sweep(dir, false) }

// SweepFolder is Sweep of the folder alone.
func SweepFolder(dir string) error { return sweep(dir, true) }

func sweep(dir string, alone bool) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // whoever wrote it has put it in its place
		}
		if errors.Is(err, fs.ErrPermission) && path != "." {
			return fs.SkipDir // not ours: lost+found, a file system's snapshots
		}
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != "." && (alone || strings.HasPrefix(name, ".")) {
			return fs.SkipDir
		}
		if entry.Type().IsRegular() && strings.HasPrefix(name, ".") && strings.Contains(name, mark) {
			err = root.Remove(filepath.FromSlash(path))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
