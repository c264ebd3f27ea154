package durable

import (
	"os"
	"syscall"
)

func copyAccess(_, _ string, _ os.FileInfo) (same bool) { return true }

func changed(info os.FileInfo) (inode uint64, at int64) {
	s := info.Sys().(*syscall.Stat_t)
	return s.Ino, s.Ctimespec.Nano()
}
