package load_test

import (
	"context"
	"errors"
	"fmt"
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
	const run = 17 << 20 // a little more than a run needs
	size := len(file)
	for name, c := range map[string]struct {
		disk   int
		stored []byte
		copied bool
		want   string
	}{
		"none":                {1 << 20, nil, false, "a run needs 16 MiB"},
		"enough":              {run, nil, true, ""},
		"not for the copy":    {run + size, file, true, "a run needs"},
		"enough without copy": {run + size, file, false, ""},
		"enough with copy":    {run + 2*size, file, true, ""},
	} {
		dir := mount(t, fmt.Sprint(c.disk))
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
