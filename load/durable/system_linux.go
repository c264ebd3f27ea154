package durable

import (
	"os"
	"syscall"
)

const accessList = "system.posix_acl_access"

// copyAccess gives a file the group and the access list of another one, as far as the
// system allows. same is false if it has another group than that one.
func copyAccess(to, from string, of os.FileInfo) (same bool) {
	same = true
	owner := of.Sys().(*syscall.Stat_t)
	if now, err := os.Lstat(to); err != nil || now.Sys().(*syscall.Stat_t).Gid != owner.Gid {
		same = os.Lchown(to, -1, int(owner.Gid)) == nil
	}
	list := make([]byte, 64<<10)
	if n, err := syscall.Getxattr(from, accessList, list); err == nil {
		_ = syscall.Setxattr(to, accessList, list[:n], 0) // a file system that has none there has none here
	}
	return same
}

// changed is the inode of a file, and when the kernel changed it last, in nanoseconds.
func changed(info os.FileInfo) (inode uint64, at int64) {
	s := info.Sys().(*syscall.Stat_t)
	return s.Ino, s.Ctim.Nano()
}
