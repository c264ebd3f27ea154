package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var someday = time.Unix(1_700_000_000, 0).UTC()

func headers(t *testing.T, packed []byte) (all []*tar.Header) {
	t.Helper()
	compressed, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if !compressed.ModTime.IsZero() || compressed.Name != "" {
		t.Errorf("gzip's own header says when and what: %v %q", compressed.ModTime, compressed.Name)
	}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, header)
	}
}

func TestArchiveDependsOnContentsAlone(t *testing.T) {
	entries := []entry{{path: "b", content: []byte("2")}, {path: "a/x", executable: true, content: []byte("1")}}
	first, err := pack("top", slices.Clone(entries), someday)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(entries)
	second, err := pack("top", entries, someday)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the order in which files were found shows")
	}
	for i, want := range []struct {
		name string
		mode int64
	}{{"top/a/x", 0o755}, {"top/b", 0o644}} {
		header := headers(t, first)[i]
		if header.Name != want.name || header.Mode != want.mode || !header.ModTime.Equal(someday) || header.Uid != 0 || header.Uname != "root" {
			t.Errorf("%+v, want %+v of root at %v", header, want, someday)
		}
	}
}

func TestAFileIsNotPackedTwice(t *testing.T) {
	if _, err := pack("top", []entry{{path: "a"}, {path: "a"}}, someday); err == nil {
		t.Error("a name is there twice, and nobody minds")
	}
}

func TestPermissionsOfTheCheckoutDoNotShow(t *testing.T) {
	var found [2][]entry
	for i, mode := range []os.FileMode{0o600, 0o755} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "deploy"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{"run.sh": "#!/bin/sh\n", "alerts.yaml": "groups:\n"} {
			if err := os.WriteFile(filepath.Join(dir, "deploy", name), []byte(content), mode); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if found[i], err = readTree(dir, "deploy"); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range found[0] {
		if e.path != found[1][i].path || e.executable != found[1][i].executable || e.executable != strings.HasSuffix(e.path, ".sh") {
			t.Errorf("%+v and %+v", e, found[1][i])
		}
	}
}

func TestLinksAreNotPacked(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := readTree(dir, "."); err == nil {
		t.Error("a link is packed")
	}
}

func TestWhatGitDoesNotKnowIsNotPacked(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"deploy/compose.yaml", "deploy/secrets/token"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "deploy/compose.yaml"}} {
		if output, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, output)
		}
	}
	found, err := tracked(t.Context(), dir, "deploy")
	if err != nil || len(found) != 1 || found[0].path != "deploy/compose.yaml" {
		t.Errorf("%+v, %v", found, err)
	}
	if found, err := tracked(t.Context(), dir, "docs"); err == nil {
		t.Errorf("a folder that is not there: %+v", found)
	}
}

func TestADateIsAskedFor(t *testing.T) {
	for _, text := range []string{"", "now", "-1", "1.5"} {
		if at, err := sourceDate(text); err == nil {
			t.Errorf("%q is %v", text, at)
		}
	}
	if at, err := sourceDate("1700000000"); err != nil || !at.Equal(someday) {
		t.Errorf("%v, %v", at, err)
	}
}

func TestAModuleWithoutALicenseIsAnError(t *testing.T) {
	dir := t.TempDir()
	var text bytes.Buffer
	if err := addLicenses(&text, "m v1", dir); err == nil {
		t.Error("nobody minds")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.txt"), []byte("Do what you like.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := addLicenses(&text, "m v1", dir); err != nil || !strings.Contains(text.String(), "Do what you like.") {
		t.Errorf("%v: %s", err, &text)
	}
}

func TestUsageIsToldForWrongArguments(t *testing.T) {
	none := func(string) string { return "" }
	for _, args := range [][]string{{}, {"archive"}, {"pack", "-binary", "a", "-out", "b"}, {"licenses", "-out", "b"}} {
		if err := run(t.Context(), args, none, io.Discard); err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
