package durable_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/load/durable"
)

func TestPlaceRefusesLinks(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "file"), "someone else's")
	for name, plant := range map[string]func(dir string) error{
		"a link in the place of the file": func(dir string) error {
			return os.Symlink(filepath.Join(outside, "file"), filepath.Join(dir, "state", "file"))
		},
		"a link that leads nowhere": func(dir string) error {
			return os.Symlink(filepath.Join(outside, "none"), filepath.Join(dir, "state", "file"))
		},
		"a folder": func(dir string) error { return os.Mkdir(filepath.Join(dir, "state", "file"), 0o750) },
		"a link in the place of the folder": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "state")); err != nil {
				return err
			}
			return os.Symlink(outside, filepath.Join(dir, "state"))
		},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "state"), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := plant(dir); err != nil {
			t.Fatal(err)
		}
		if path, err := durable.Place(dir, "state/file"); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: got %q, %v", name, path, err)
		}
	}
}

func TestPlaceAcceptsAMissingFileAndALinkedFolder(t *testing.T) {
	dir := t.TempDir()
	linked := filepath.Join(t.TempDir(), "data")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"nothing", "state", "the file"} {
		path, err := durable.Place(linked, "state/file")
		if err != nil || path != filepath.Join(linked, "state", "file") {
			t.Errorf("before there is %s: got %q, %v", wanted, path, err)
		}
		switch wanted {
		case "nothing":
			err = os.Mkdir(filepath.Join(dir, "state"), 0o750)
		case "state":
			write(t, filepath.Join(dir, "state", "file"), "ours")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
