package load

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/durable"
	"github.com/flashback-sync/flashback-sync/internal/hashset"
	"github.com/flashback-sync/flashback-sync/schema"
)

// seal says that the private file was whole when this program closed it, and how the
// system described it then. While the system describes it in the same way nobody has
// written to it: its blocks need not be read, and what was derived from it is true.
// Bits that rot change no description. They are found when the file is copied, before
// the copy is published, and by verify; and a seal holds for a week.
type seal struct {
	Format  int                     `json:"format"` // of the seal
	Schema  int                     `json:"schema_version"`
	File    description             `json:"file"`
	Checked time.Time               `json:"checked_at"` // when all blocks were compared last
	IDs     map[string]hashset.Mark `json:"ids"`        // by table
}

const (
	sealFormat = 1
	sealHolds  = 7 * 24 * time.Hour
)

// description is what the system knows of a file. No write leaves it as it was: the
// time of change is the kernel's, and cannot be set.
type description struct {
	Device, Inode     uint64
	Size              int64
	Modified, Changed int64 // nanoseconds
}

// sealPath is where a warehouse's seal lies.
func sealPath(warehouse string) string { return warehouse + ".seal" }

// readSeal reads a warehouse's seal; nil if there is none that holds.
func readSeal(path string, now time.Time) *seal {
	content, err := os.ReadFile(sealPath(path))
	var s seal
	if err != nil || json.Unmarshal(content, &s) != nil || s.Format != sealFormat || s.Schema != schema.Version {
		return nil
	}
	if age := now.Sub(s.Checked); age < 0 || age > sealHolds || !s.File.still(path) {
		return nil
	}
	return &s
}

// still reports whether a closed warehouse is as it was described.
func (d *description) still(path string) bool {
	if d == nil {
		return false
	}
	if log, err := os.Lstat(path + ".wal"); !errors.Is(err, fs.ErrNotExist) && (err != nil || log.Size() > 0) {
		return false // a log holds what the file lacks
	}
	now, known := describe(path)
	return known && now == *d
}

// unseal breaks the seal, since the file is about to be written to, and takes over the
// sets of ids that were true under it.
func (w *Warehouse) unseal(s *seal) error {
	if err := removeFile(sealPath(w.path)); err != nil {
		return storage("open warehouse", err)
	}
	w.ids = openIDs(w.path, s)
	if w.created {
		for _, table := range schema.Tables() {
			if (statements{table}).settles() {
				w.ids.begin(table.Name)
			}
		}
	}
	return nil
}

// Seal seals the closed file: the next Open need not read all of it. If that fails,
// it will read it.
func (w *Warehouse) Seal() {
	if !w.options.Writing || !w.closed.still(w.path) {
		return
	}
	content, err := json.Marshal(seal{
		Format: sealFormat, Schema: schema.Version, File: *w.closed, Checked: w.checked, IDs: w.ids.marks(),
	})
	if err == nil && durable.Write(sealPath(w.path), append(content, '\n')) == nil {
		w.ids.sweep()
	}
}
