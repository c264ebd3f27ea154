package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/durable"
)

// ManifestName is the manifest's file name below lake/.
const ManifestName = "manifest.json"

// Manifest lists every file of the lake and the coverage ledger.
type Manifest struct {
	Format      int        `json:"format"` // 1
	Generator   string     `json:"generator"`
	GeneratedAt time.Time  `json:"generated_at"`
	Files       []File     `json:"files"`
	Coverage    []Coverage `json:"coverage"`
}

// File describes one Parquet file.
type File struct {
	Table  string    `json:"table"`
	Path   string    `json:"path"` // below lake/, with slashes
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`   // hexadecimal
	Oldest time.Time `json:"min_time"` // of the time column, inclusive
	Newest time.Time `json:"max_time"` // inclusive
}

// Coverage is one interval of the coverage ledger.
type Coverage struct {
	Stream string    `json:"stream"`
	Filter string    `json:"filter"`
	Status string    `json:"status"`
	From   time.Time `json:"from"` // inclusive
	To     time.Time `json:"to"`   // exclusive
}

// ReadManifest reads the manifest of a lake. A missing one gives an error that
// is fs.ErrNotExist.
func ReadManifest(dir string) (*Manifest, error) {
	content, err := os.ReadFile(filepath.Join(dir, ManifestName)) //nolint:gosec // below data_dir
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	return &m, nil
}

func (m *Manifest) write(dir string) error {
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return durable.Write(filepath.Join(dir, ManifestName), append(content, '\n'))
}

// replace puts the entry of a path in the place of the old one; nil removes it.
func (m *Manifest) replace(path string, file *File) {
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool { return f.Path == path })
	if file != nil {
		m.Files = append(m.Files, *file)
	}
}

// missing lists the files that the manifest names and that are not there, or not
// as long as it says.
func (m *Manifest) missing(dir string) (files []File, err error) {
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() != f.Bytes):
			files = append(files, f)
		case err != nil:
			return nil, err
		}
	}
	return files, nil
}
