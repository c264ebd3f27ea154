//go:build linux || darwin

package load

import "syscall"

// freeBytes is the space that every user may fill. It is not known where the file system
// does not count blocks.
func freeBytes(folder string) (free uint64, known bool, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, false, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks > 0, nil
}
