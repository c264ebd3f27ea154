package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// documents are the files and folders of the repository that go along.
var documents = []string{"README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md", "SECURITY.md", "docs", "deploy"}

type job struct {
	root    string // of the repository
	binary  string
	version string
	out     string
	at      time.Time
}

// entry is a file of the archive. Its path has slashes.
type entry struct {
	path       string
	executable bool
	content    []byte
}

func archive(ctx context.Context, j job, stdout io.Writer) error {
	name := fmt.Sprintf("flashback-sync_%s_%s_%s", strings.TrimPrefix(j.version, "v"), runtime.GOOS, runtime.GOARCH)
	bom, err := sbom(ctx, j.binary, j.version, j.at)
	if err != nil {
		return fmt.Errorf("write SBOM: %w", err)
	}
	entries, err := j.entries(ctx)
	if err != nil {
		return err
	}
	packed, err := pack(name, append(entries, entry{path: "sbom.cdx.json", content: bom}), j.at)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.MkdirAll(j.out, 0o755); err != nil { //nolint:gosec // a release is for everybody
		return err
	}
	var sums bytes.Buffer
	for _, file := range []entry{{path: name + ".cdx.json", content: bom}, {path: name + ".tar.gz", content: packed}} {
		if err := os.WriteFile(filepath.Join(j.out, file.path), file.content, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(file.content), file.path)
	}
	fmt.Fprint(stdout, sums.String())
	return os.WriteFile(filepath.Join(j.out, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// entries are what the archive holds but for the SBOM.
func (j job) entries(ctx context.Context) ([]entry, error) {
	program, err := os.ReadFile(j.binary)
	if err != nil {
		return nil, err
	}
	entries := []entry{{path: "flashback-sync", executable: true, content: program}}
	notices, err := licenses(ctx, j.binary)
	if err != nil {
		return nil, fmt.Errorf("collect licenses: %w", err)
	}
	entries = append(entries, entry{path: "THIRD_PARTY_LICENSES", content: notices})
	for _, document := range documents {
		found, err := tracked(ctx, j.root, document)
		if err != nil {
			return nil, err
		}
		entries = append(entries, found...)
	}
	for shell, file := range map[string]string{
		"bash": "flashback-sync.bash", "zsh": "_flashback-sync", "fish": "flashback-sync.fish", "powershell": "flashback-sync.ps1",
	} {
		script, err := j.ask(ctx, "completion", shell)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{path: "completions/" + file, content: script})
	}
	pages, err := j.manPages(ctx)
	return append(entries, pages...), err
}

func (j job) manPages(ctx context.Context) ([]entry, error) {
	dir, err := os.MkdirTemp("", "flashback-sync-man-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := j.ask(ctx, "man", "--out", filepath.Join(dir, "man1")); err != nil {
		return nil, err
	}
	pages, err := readTree(dir, "man1")
	for i := range pages {
		pages[i].path = "man/" + pages[i].path
	}
	return pages, err
}

// ask runs the built program with an environment that says nothing but the date.
func (j job) ask(ctx context.Context, args ...string) ([]byte, error) {
	path, err := filepath.Abs(j.binary)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, path, args...) //nolint:gosec // the binary to be packed
	command.Env = []string{"SOURCE_DATE_EPOCH=" + strconv.FormatInt(j.at.Unix(), 10)}
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s %s: %w", filepath.Base(path), strings.Join(args, " "), err)
	}
	return output, nil
}

// tracked reads a file, or all files of a folder, that git knows: what else lies
// there may be somebody's notes, or the secrets beside compose.yaml.
func tracked(ctx context.Context, root, path string) ([]entry, error) {
	command := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-z", "--", path) //nolint:gosec // one of documents
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list what git knows of %s: %w", path, err)
	}
	var entries []entry
	for file := range strings.SplitSeq(strings.TrimSuffix(string(output), "\x00"), "\x00") {
		if file == "" {
			return nil, fmt.Errorf("git knows no %s", path)
		}
		found, err := readTree(root, file)
		if err != nil {
			return nil, err
		}
		entries = append(entries, found...)
	}
	return entries, nil
}

// readTree reads a file, or all files of a folder, below root. Only what is a
// regular file goes along; scripts are told by their first bytes, since
// permissions differ with whoever checked out.
func readTree(root, path string) ([]entry, error) {
	folder, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // it was only read
	var entries []entry
	err = fs.WalkDir(folder.FS(), path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is not a regular file", file)
		}
		content, err := fs.ReadFile(folder.FS(), file)
		entries = append(entries, entry{file, bytes.HasPrefix(content, []byte("#!")), content})
		return err
	})
	return entries, err
}

// pack is a tar.gz whose bytes depend on its arguments alone.
func pack(folder string, entries []entry, at time.Time) ([]byte, error) {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	writer := tar.NewWriter(compressed)
	last := ""
	for _, e := range entries {
		if e.path == last {
			return nil, fmt.Errorf("%s is there twice", e.path)
		}
		last = e.path
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: folder + "/" + e.path, Size: int64(len(e.content)), Mode: 0o644,
			Uname: "root", Gname: "root", ModTime: at, Format: tar.FormatUSTAR,
		}
		if e.executable {
			header.Mode = 0o755
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
