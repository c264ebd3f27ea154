package lake

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/load/derived"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// ManifestName is the manifest's file name below lake/.
const ManifestName = "manifest.json"

// Manifest lists every file of the lake and the coverage ledger, and says what the
// columns mean.
type Manifest struct {
	Format int `json:"format"` // 1
	// Generation is the number of the publication that wrote the manifest. It only grows.
	Generation  int64              `json:"generation"`
	Generator   string             `json:"generator"`
	GeneratedAt time.Time          `json:"generated_at"`
	Files       []File             `json:"files"`
	Coverage    []checkpoints.Line `json:"coverage"`
	// Queries are what the configuration asks for. The ledger has what former ones asked for, too.
	Queries []derived.Query `json:"queries"`
	Tables  []Table         `json:"tables"`
	// Privacy has the columns that are not stored as the source sends them.
	Privacy []schema.Treated `json:"privacy,omitempty"`
	// Sealed are ids that statistics are requested by, encrypted with the privacy key.
	Sealed []string `json:"sealed,omitempty"`
	// Forgotten says of whom the files have no rows, by keyed hashes.
	Forgotten []Forgotten `json:"forgotten,omitempty"`
}

// Forgotten is a tombstone, and the first publication that obeys it.
type Forgotten struct {
	schema.Tombstone
	Generation int64 `json:"generation"`
}

// Tombstones are those of the manifest.
func (m *Manifest) Tombstones() (all []schema.Tombstone) {
	for _, f := range m.Forgotten {
		all = append(all, f.Tombstone)
	}
	return all
}

// obey lists the tombstones that this publication obeys.
func (m *Manifest) obey(o Options) {
	before := m.Forgotten
	m.Forgotten = nil
	for _, t := range o.Forgotten {
		f := Forgotten{t, o.Generation}
		for _, known := range before {
			if known.Covers(t) && t.Covers(known.Tombstone) {
				f.Generation = known.Generation
			}
		}
		m.Forgotten = append(m.Forgotten, f)
	}
}

// Table says what the columns of a table's files mean. It is here and not in every file: a
// day with few rows would be a tenth larger.
type Table struct {
	Name    string   `json:"name"`
	Comment string   `json:"comment"`
	Columns []Column `json:"columns"`
}

// Column describes one column.
type Column struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"` // DuckDB's name for it
	Privacy schema.Privacy `json:"privacy"`
	Comment string         `json:"comment"`
}

func tables() (all []Table) {
	for _, t := range schema.Tables() {
		if t.Partition == schema.Unpartitioned {
			continue
		}
		table := Table{Name: t.Name, Comment: t.Doc}
		for _, c := range t.Columns {
			table.Columns = append(table.Columns, Column{c.Name, c.Type.DuckDB(), c.Privacy, c.Doc})
		}
		all = append(all, table)
	}
	return all
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
	// Generation is the number of the publication that wrote the file last.
	Generation int64 `json:"generation"`
}

// ReadManifest reads the manifest of a lake. A missing one is fs.ErrNotExist. A link is
// refused.
func ReadManifest(dir string) (*Manifest, error) {
	name, err := durable.Place(dir, ManifestName)
	if err != nil {
		return nil, err
	}
	content, err := durable.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	return &m, nil
}

const format = 1

// readme explains the lake to whoever finds it without us.
//
//go:embed readme.md
var readme []byte

// write writes the manifest, and before it README.md. Lists are never null.
func (m *Manifest) write(o Options) error {
	m.Format, m.Generator, m.GeneratedAt = format, o.Generator, o.Now.UTC()
	m.Files, m.Coverage = append([]File{}, m.Files...), append([]checkpoints.Line{}, o.Coverage...)
	m.Queries = append([]derived.Query{}, o.Queries...)
	m.Tables, m.Generation = tables(), o.Generation
	m.Privacy, m.Sealed = o.Privacy, o.Sealed
	m.obey(o)
	for i := range m.Files {
		m.Files[i].Generation = cmp.Or(m.Files[i].Generation, o.Generation) // earlier releases recorded none
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := writeReadme(filepath.Join(o.Dir, "README.md")); err != nil {
		return err
	}
	return durable.Write(filepath.Join(o.Dir, ManifestName), append(content, '\n'))
}

// Readme is README.md of the lake.
func Readme() string { return string(readme) }

func writeReadme(name string) error {
	if content, err := durable.ReadFile(name); err == nil && bytes.Equal(content, readme) {
		return nil
	}
	return durable.Write(name, readme)
}

// replace replaces the entry of a path; nil removes it, and removed reports whether there
// was one.
func (m *Manifest) replace(path string, file *File) (removed bool) {
	before := len(m.Files)
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool { return f.Path == path })
	if file == nil {
		return len(m.Files) < before
	}
	m.Files = append(m.Files, *file)
	return false
}

// reliable reports whether we could have written the manifest: it names only files of ours,
// at their paths, once each.
func (m *Manifest) reliable() bool {
	named := map[string]bool{}
	for _, f := range m.Files {
		table := schema.ByName(f.Table)
		if table == nil || table.Partition == schema.Unpartitioned || named[f.Path] {
			return false
		}
		if f.Path != (partition{table, table.PartitionStart(f.Oldest)}).path() {
			return false
		}
		named[f.Path] = true
	}
	return m.Format == format
}
