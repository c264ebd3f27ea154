package durable

import (
	"io/fs"
	"os"
)

// inherit gives a file the group, access list and mode of the one that it replaces, so
// that what an administrator set there stays; without one, this mode. The bits of never
// are never set.
func inherit(temporary, target string, mode, never fs.FileMode) error {
	if info, err := os.Lstat(target); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm() | 0o400
		if !copyAccess(temporary, target, info) {
			mode &^= 0o030 // what was granted to another group
		}
	}
	return os.Chmod(temporary, mode&^never)
}
