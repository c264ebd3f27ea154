package durable_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

func TestAFileTakesOverTheModeAndGroupOfTheOneItReplaces(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "file")
	modes := func(want fs.FileMode) {
		t.Helper()
		if info, err := os.Stat(target); err != nil || info.Mode().Perm() != want {
			t.Errorf("mode %v, want %v, %v", info.Mode(), want, err)
		}
	}
	replace := func() {
		t.Helper()
		temporary := filepath.Join(dir, "new")
		if err := os.WriteFile(temporary, []byte("new"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := durable.InstallReadOnly(temporary, target); err != nil {
			t.Fatal(err)
		}
	}
	replace()
	modes(0o440)
	for _, c := range []struct{ set, want fs.FileMode }{{0o640, 0o440}, {0o644, 0o444}, {0o600, 0o400}, {0o764, 0o564}} {
		if err := os.Chmod(target, c.set); err != nil {
			t.Fatal(err)
		}
		if err := durable.Write(target, []byte("x")); err != nil {
			t.Fatal(err)
		}
		modes(c.set)
		replace()
		modes(c.want)
	}
	if os.Getuid() != 0 {
		return
	}
	if err := os.Chown(target, -1, 4242); err != nil {
		t.Fatal(err)
	}
	// user::r--, user:4243:r--, group::r--, mask::r--, other::---
	list := []byte("\x02\x00\x00\x00" + "\x01\x00\x04\x00\xff\xff\xff\xff" + "\x02\x00\x04\x00\x93\x10\x00\x00" +
		"\x04\x00\x04\x00\xff\xff\xff\xff" + "\x10\x00\x04\x00\xff\xff\xff\xff" + "\x20\x00\x00\x00\xff\xff\xff\xff")
	listed := syscall.Setxattr(target, "system.posix_acl_access", list, 0) == nil // tmpfs may have none
	replace()
	modes(0o440)
	if info, err := os.Stat(target); err != nil || info.Sys().(*syscall.Stat_t).Gid != 4242 {
		t.Errorf("group %v, %v", info.Sys(), err)
	}
	if got := make([]byte, 100); listed {
		if n, err := syscall.Getxattr(target, "system.posix_acl_access", got); err != nil || string(got[:n]) != string(list) {
			t.Errorf("access list %x, %v", got[:max(n, 0)], err)
		}
	}
}

func TestPipesAreRefused(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := durable.ReadFile(pipe); err == nil || !strings.Contains(err.Error(), "not a plain file") {
		t.Errorf("%v", err)
	}
}
