//go:build linux || darwin

package load

import "golang.org/x/sys/unix"

// describe describes a plain file.
func describe(path string) (d description, known bool) {
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return description{}, false
	}
	return description{
		Device: uint64(s.Dev), Inode: s.Ino, Size: s.Size, //nolint:unconvert // differs by platform
		Modified: unix.TimespecToNsec(s.Mtim), Changed: unix.TimespecToNsec(s.Ctim),
	}, true
}
