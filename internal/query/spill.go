package query

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

const (
	spillName = "flashback-sync-query-"
	lockName  = "lock"
)

// spill is a private folder for what does not fit into memory. It is in the
// system's folder for temporary files, never in data_dir. Its lock is held as long
// as the process lives, so that the next query can remove what a killed one left.
type spill struct {
	dir  string // "" if there is none
	lock *flock.Flock
}

// newSpill makes the folder. A system that has no place for temporary files gets
// none: the query has to do with its memory then.
func newSpill() *spill {
	sweepSpills()
	dir, err := os.MkdirTemp("", "."+spillName) // under another name until it is locked
	if err != nil {
		return &spill{}
	}
	lock := flock.New(filepath.Join(dir, lockName))
	locked, err := lock.TryLock()
	final := filepath.Join(filepath.Dir(dir), filepath.Base(dir)[1:])
	if err != nil || !locked || os.Rename(dir, final) != nil {
		_ = lock.Close()
		_ = os.RemoveAll(dir)
		return &spill{}
	}
	return &spill{dir: final, lock: lock}
}

// path is that of a file in the folder, "" if there is none.
func (s *spill) path(name string) string {
	if s.dir == "" {
		return ""
	}
	return filepath.Join(s.dir, name)
}

func (s *spill) remove() error {
	if s.dir == "" {
		return nil
	}
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// sweepSpills removes the folders of queries that were killed. It touches only
// private folders of this user: what others could write into may hold links.
func sweepSpills() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), spillName+"*"))
	for _, dir := range found {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || !ownedByUs(info) {
			continue
		}
		lock := flock.New(filepath.Join(dir, lockName))
		if locked, err := lock.TryLock(); err == nil && locked {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
