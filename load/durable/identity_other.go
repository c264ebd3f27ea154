//go:build !linux && !darwin

package durable

import "os"

// Identify describes a plain file; ok is false if there is none, or it cannot be looked at.
func Identify(path string) (id Identity, ok bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	return Identity{Size: info.Size(), Modified: info.ModTime().UnixNano()}, true
}
