package durable

import "os"

// Identity is what the system knows of a file. Whoever writes to the file, or puts
// another one in its place, changes it: the time of change is the kernel's, and cannot
// be set.
type Identity struct {
	Inode    uint64 `json:"inode"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified_ns"`
	Changed  int64  `json:"changed_ns"`
}

// Identify describes a plain file; ok is false if there is none, or it cannot be looked at.
func Identify(path string) (id Identity, ok bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	id = Identity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	id.Inode, id.Changed = changed(info)
	return id, true
}
