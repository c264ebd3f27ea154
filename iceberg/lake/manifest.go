// Package lake reads a published lake: manifest.json and the Parquet files that it lists.
// It knows nothing of Iceberg.
package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"time"
)

// Manifest is lake/manifest.json; docs/manifest.md describes it.
type Manifest struct {
	Format      int       `json:"format"`
	Generation  int64     `json:"generation"`
	Generator   string    `json:"generator"`
	GeneratedAt time.Time `json:"generated_at"`
	Files       []File    `json:"files"`
	Coverage    []Range   `json:"coverage"`
	Queries     []Query   `json:"queries"`
	Tables      []Table   `json:"tables"`
}

// File is one Parquet file: one table and one period.
type File struct {
	Table  string    `json:"table"`
	Path   string    `json:"path"`
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Oldest time.Time `json:"min_time"`
	Newest time.Time `json:"max_time"`
	// Generation is the publication that wrote the file last.
	Generation int64 `json:"generation"`

	Period Period `json:"-"` // of the path
}

// Table describes the columns of a table's files.
type Table struct {
	Name    string   `json:"name"`
	Comment string   `json:"comment"`
	Columns []Column `json:"columns"`
}

// Column describes one column; Type is DuckDB's name for it.
type Column struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Privacy string `json:"privacy"`
	Comment string `json:"comment"`
}

// Error says that the lake cannot be read, or breaks its contract.
type Error struct{ Err error }

func (e Error) Error() string { return e.Err.Error() }
func (e Error) Unwrap() error { return e.Err }

func errorf(format string, args ...any) error { return Error{fmt.Errorf(format, args...)} }

// ErrChanged means that a file is not the one that the manifest lists: a run has replaced it
// meanwhile, or the lake is damaged.
var ErrChanged = errors.New("the file is not the one that the manifest lists")

// Lake is an open lake. No name leaves its folder.
type Lake struct{ root *os.Root }

// Open opens the folder of a lake.
func Open(dir string) (*Lake, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errorf("open lake: %w", err)
	}
	return &Lake{root}, nil
}

// Close closes the folder.
func (l *Lake) Close() error { return l.root.Close() }

// Manifest reads and validates the manifest.
func (l *Lake) Manifest() (*Manifest, error) {
	content, err := fs.ReadFile(l.root.FS(), "manifest.json")
	if err != nil {
		return nil, errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, errorf("manifest.json is not complete JSON: %w", err)
	}
	if err := m.validate(); err != nil {
		return nil, errorf("manifest.json: %w", err)
	}
	return &m, nil
}

var (
	pathPattern = regexp.MustCompile(`^([a-z][a-z0-9_]*)/(date|month)=([0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)/([a-z][a-z0-9_]*)\.parquet$`)
	hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// validate checks what later steps rely on, and fills in the periods.
func (m *Manifest) validate() error {
	if m.Format != 1 {
		return fmt.Errorf("format %d is not known to this release, which reads format 1", m.Format)
	}
	if m.Generation < 1 {
		return errors.New("it has no generation")
	}
	paths := map[string]bool{}
	for i := range m.Files {
		f := &m.Files[i]
		parts := pathPattern.FindStringSubmatch(f.Path)
		if parts == nil || parts[1] != f.Table || parts[4] != f.Table {
			return fmt.Errorf("%q is not the path of a file of table %q", f.Path, f.Table)
		}
		period, err := parsePeriod(parts[2] == "month", parts[3])
		if err != nil {
			return fmt.Errorf("%q: %w", f.Path, err)
		}
		if paths[f.Path] {
			return fmt.Errorf("it lists %s twice", f.Path)
		}
		if f.Rows < 0 || !hashPattern.MatchString(f.SHA256) {
			return fmt.Errorf("%s: rows or sha256 are not valid", f.Path)
		}
		f.Period, paths[f.Path] = period, true
	}
	return nil
}

// FilesOf lists the files of a table, oldest period first. Files without rows are left out.
func (m *Manifest) FilesOf(table string) []File {
	var files []File
	for _, f := range m.Files {
		if f.Table == table && f.Rows > 0 {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return int(a.Period.Ordinal) - int(b.Period.Ordinal) })
	return files
}
