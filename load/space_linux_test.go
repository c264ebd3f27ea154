package load_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
)

func TestRunWithoutFreeSpaceIsRefused(t *testing.T) {
	t.Parallel()
	if !alone(t, mounting) {
		return
	}
	file := filled(t)
	for name, c := range map[string]struct {
		free   string
		stored []byte
		copied bool
		want   string
	}{
		"none":                {"1m", nil, false, "a run needs 16 MiB"},
		"enough":              {"17m", nil, true, ""},
		"not for the copy":    {"19m", file, true, "a run needs"},
		"enough without copy": {"19m", file, false, ""},
		"enough with copy":    {"30m", file, true, ""},
	} {
		dir := mount(t, c.free)
		if c.stored != nil {
			putWarehouse(t, dir, c.stored, nil)
		}
		w, err := load.Open(context.Background(), load.Options{Dir: dir, Writing: true, Copied: c.copied})
		if err == nil {
			_ = w.Close()
		}
		var storage *duckdb.StorageError
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (!errors.As(err, &storage) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "free") || storage.Cause() != duckdb.CauseFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFoldersThatCannotBeWrittenToAreRefused(t *testing.T) {
	t.Parallel()
	if !alone(t, mounting) {
		return
	}
	for _, place := range []string{"", "state", "lake"} {
		dir := t.TempDir()
		putWarehouse(t, dir, filled(t), nil)
		overwrite(t, filepath.Join(dir, "state", "lock"), nil)
		folder := filepath.Join(dir, place)
		_ = os.Mkdir(folder, 0o750)
		if err := syscall.Mount(folder, folder, "", syscall.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
		if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		_, err := load.Open(context.Background(), load.Options{Dir: dir, Writing: true})
		var storage *duckdb.StorageError
		if !errors.As(err, &storage) || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%q: %v", place, err)
		}
	}
}

// mount makes a file system in memory.
func mount(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves no room.
func fill(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "full")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return path
}
