// Package published remembers how the system described the files that were put in their
// places, so that a run and status can tell cheaply that one of them is not what was
// published.
package published

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/flashback-sync/flashback-sync/load"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// name is where the note is kept, below data_dir. It is written last.
const name = "state/published.json"

// Note is what was published.
type Note struct {
	Files map[string]durable.Identity `json:"files"` // by path below data_dir, with slashes
	// Manifest is the SHA-256 of the lake's manifest: nothing else says what its
	// content was.
	Manifest string `json:"manifest_sha256"`
	// Views are the files for readers who may see less, with what they were asked to have.
	Views map[string]string `json:"views,omitempty"`
}

// Read reads the note of a data_dir; nil if there is none, or it is of no use.
func Read(dataDir string) *Note {
	content, err := durable.ReadFile(filepath.Join(dataDir, filepath.FromSlash(name)))
	var n Note
	if err != nil || json.Unmarshal(content, &n) != nil {
		return nil
	}
	return &n
}

// Write puts the note in its place.
func (n *Note) Write(dataDir string) error {
	content, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return durable.Write(filepath.Join(dataDir, filepath.FromSlash(name)), append(content, '\n'))
}

// Knows reports whether a file is described as it was when it was published.
func (n *Note) Knows(path string, now durable.Identity) bool {
	if n == nil {
		return false
	}
	then, noted := n.Files[path]
	return noted && then == now
}

// Same reports whether a file below data_dir is the one that was published.
func (n *Note) Same(dataDir, path string) bool {
	now, there := durable.Identify(filepath.Join(dataDir, filepath.FromSlash(path)))
	return there && n.Knows(path, now)
}

// SameManifest reports whether the manifest has the content that was published.
func (n *Note) SameManifest(dataDir, path string) bool {
	if n == nil || n.Same(dataDir, path) {
		return n != nil
	}
	content, err := durable.ReadFile(filepath.Join(dataDir, filepath.FromSlash(path)))
	return err == nil && Sum(content) == n.Manifest
}

// Sum is a hash as the note has it.
func Sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Altered lists the files of a data_dir that are not as they were published, or are gone.
// It lists none while they may be replaced:
// from a run's start until all that it committed is published.
func Altered(dataDir string) (paths []string) {
	before := Read(dataDir)
	if before == nil {
		return nil
	}
	for path := range before.Files {
		if !before.Same(dataDir, path) {
			paths = append(paths, path)
		}
	}
	_, err := os.Lstat(filepath.Join(dataDir, filepath.FromSlash(load.Unpublished)))
	if after := Read(dataDir); err == nil || after == nil || !maps.Equal(before.Files, after.Files) {
		return nil
	}
	slices.Sort(paths)
	return paths
}
