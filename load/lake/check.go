package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Inventory says how the lake's files compare with the manifest.
type Inventory struct {
	Manifest *Manifest
	// Problems are the errors of files of the manifest, by path.
	Problems map[string]error
	// Unlisted are Parquet files that the manifest does not name.
	Unlisted []string
}

// ErrAltered says that a file is not the one that the manifest describes. A missing file is
// fs.ErrNotExist.
var ErrAltered = errors.New("altered")

// Check reads every file of a lake and compares it with the manifest. It changes
// nothing, and follows no link out of the lake.
func Check(ctx context.Context, dir string) (*Inventory, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	manifest, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	if !manifest.reliable() {
		return nil, fmt.Errorf("%s: %w", ManifestName, ErrAltered)
	}
	found := &Inventory{Manifest: manifest, Problems: map[string]error{}}
	listed := map[string]bool{}
	for _, f := range manifest.Files {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		listed[f.Path] = true
		if err := checkFile(root, f); err != nil {
			found.Problems[f.Path] = err
		}
	}
	found.Unlisted, err = unlisted(root, listed)
	return found, err
}

// Find lists the Parquet files of a lake that a manifest does not name; nil names none.
func Find(dir string, m *Manifest) (*Inventory, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	if m == nil {
		m = &Manifest{}
	}
	listed := map[string]bool{}
	for _, f := range m.Files {
		listed[f.Path] = true
	}
	found := &Inventory{Manifest: m}
	found.Unlisted, err = unlisted(root, listed)
	return found, err
}

// checkFile compares one file with its entry in the manifest.
func checkFile(root *os.Root, f File) error {
	name := filepath.FromSlash(f.Path)
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("not a regular file: %w", ErrAltered)
	case info.Size() != f.Bytes:
		return fmt.Errorf("%d bytes, the manifest says %d: %w", info.Size(), f.Bytes, ErrAltered)
	}
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("its SHA-256 is not the manifest's: %w", ErrAltered)
	}
	return nil
}

// unlisted lists the Parquet files in the folders of our tables that are not listed.
// Other files in the lake are not ours, nor are hidden folders and unreadable ones.
func unlisted(root *os.Root, listed map[string]bool) (paths []string, err error) {
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned {
			continue
		}
		more, err := unlistedIn(root, table.Name, listed)
		if err != nil {
			return nil, err
		}
		paths = append(paths, more...)
	}
	return paths, nil
}

func unlistedIn(root *os.Root, folder string, listed map[string]bool) (paths []string, err error) {
	err = fs.WalkDir(root.FS(), folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == folder:
			return nil
		case errors.Is(err, fs.ErrPermission) && path != folder, entry != nil && entry.IsDir() && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case err != nil:
			return err
		}
		if entry.Type().IsRegular() && strings.HasSuffix(path, ".parquet") && !strings.HasPrefix(entry.Name(), ".") && !listed[path] {
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

// Path is the path, below the lake, of the file of the partition that starts at an instant.
func Path(table *schema.Table, start time.Time) string { return partition{table, start}.path() }

// EndOf is the end of the partition of a table that starts at an instant, exclusive.
func EndOf(table *schema.Table, start time.Time) time.Time { return partition{table, start}.end() }

// PartitionOf is the partition of a file of ours; ok is false for other files.
func PartitionOf(path string) (table *schema.Table, start time.Time, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return nil, time.Time{}, false
	}
	table = schema.ByName(parts[0])
	if table == nil || table.Partition == schema.Unpartitioned {
		return nil, time.Time{}, false
	}
	key, layout := keyOf(table)
	date, found := strings.CutPrefix(parts[1], key+"=")
	start, err := time.Parse(layout, date)
	return table, start, found && err == nil && Path(table, start) == path
}
