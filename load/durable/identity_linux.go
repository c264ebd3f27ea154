package durable

import (
	"os"
	"syscall"
)

// Identify describes a plain file; ok is false if there is none, or it cannot be looked at.
func Identify(path string) (id Identity, ok bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	id = Identity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Inode, id.Changed = s.Ino, s.Ctim.Nano()
	}
	return id, true
}
