package durable_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

func TestAReaderOfTheOldFileKeepsReadingIt(t *testing.T) {
	target := filepath.Join(t.TempDir(), "file")
	write(t, target, "old")
	reader, err := os.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	write(t, target, "new")
	if got, _ := io.ReadAll(reader); string(got) != "old" {
		t.Errorf("the old reader got %q", got)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("a new reader got %q", got)
	}
}

func TestAnAbortedFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "file")
	write(t, target, "old")
	file, err := durable.Create(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	if err := file.Abort(); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	if got, _ := os.ReadFile(target); string(got) != "old" || len(entries) != 1 {
		t.Errorf("%q and %d files are left", got, len(entries))
	}
	if err := file.Commit(); err == nil {
		t.Error("an aborted file can be committed")
	}
}

func TestSweepRemovesOnlyLeftovers(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(below, "kept"), "x")
	file, err := durable.Create(filepath.Join(below, "kept")) // as a crash leaves it
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	if err := durable.Sweep(dir); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(below)
	if len(entries) != 1 || entries[0].Name() != "kept" {
		t.Errorf("left: %v", entries)
	}
	if err := durable.Sweep(filepath.Join(dir, "missing")); err != nil {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestOthersMayNotReadFiles(t *testing.T) {
	target := filepath.Join(t.TempDir(), "file")
	write(t, target, "x")
	if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func write(t *testing.T, target, content string) {
	t.Helper()
	if err := durable.Write(target, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

func TestSweepGoesIntoALinkedFolderButFollowsNoneWithin(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	leftover, theirs := filepath.Join(dir, ".kept.tmp-1"), filepath.Join(outside, ".kept.tmp-1")
	write(t, leftover, "x")
	write(t, theirs, "x")
	if err := errors.Join(os.Symlink(dir, link), os.Symlink(outside, filepath.Join(dir, "planted"))); err != nil {
		t.Fatal(err)
	}
	if err := durable.Sweep(link); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(leftover); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Lstat(theirs); err != nil {
		t.Errorf("a file outside is gone: %v", err)
	}
}

// serve notes its alarms while a run begins, which sweeps what crashes left behind.
func TestWriteSucceedsDuringASweep(t *testing.T) {
	dir := t.TempDir()
	for i := range 200 {
		swept := make(chan error)
		go func() {
			time.Sleep(time.Duration(i*10) * time.Microsecond) // somewhere within the writing
			swept <- durable.Sweep(dir)
		}()
		if err := durable.Write(filepath.Join(dir, "file"), []byte("content")); err != nil {
			t.Error(err)
		}
		if err := <-swept; err != nil { // a run would end with it
			t.Error(err)
		}
	}
}
