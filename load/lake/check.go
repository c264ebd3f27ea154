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
	for _, f := range manifest.Files {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := checkFile(root, f); err != nil {
			found.Problems[f.Path] = err
		}
	}
	found.Unlisted, err = Unlisted(dir, manifest)
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
	_, sum, err := digest(file)
	if err == nil && sum != f.SHA256 {
		err = fmt.Errorf("its SHA-256 is not the manifest's: %w", ErrAltered)
	}
	return err
}

// digest is the size and the SHA-256 of a file, in hexadecimal.
func digest(file io.Reader) (bytes int64, sha string, err error) {
	sum := sha256.New()
	bytes, err = io.Copy(sum, file)
	return bytes, hex.EncodeToString(sum.Sum(nil)), err
}

// Unlisted lists the Parquet files in the folders of our tables that a manifest does not name;
// nil names none. Other files in the lake are not ours, nor are hidden folders and unreadable
// ones.
func Unlisted(dir string, m *Manifest) (paths []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	listed := map[string]bool{}
	if m != nil {
		for _, f := range m.Files {
			listed[f.Path] = true
		}
	}
	for _, table := range schema.Tables() {
		if table.Partition == schema.Unpartitioned || err != nil {
			continue
		}
		err = fs.WalkDir(root.FS(), table.Name, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) && path == table.Name:
				return nil
			case errors.Is(err, fs.ErrPermission) && path != table.Name, entry != nil && entry.IsDir() && strings.HasPrefix(entry.Name(), "."):
				return fs.SkipDir
			case err != nil:
				return err
			}
			if entry.Type().IsRegular() && strings.HasSuffix(path, ".parquet") && !strings.HasPrefix(entry.Name(), ".") && !listed[path] {
				paths = append(paths, path)
			}
			return nil
		})
	}
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
