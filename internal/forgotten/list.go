// Package forgotten erases those who are to be forgotten, and proves it, and lists whose
// records are not stored: state/forgotten.json. The list has keyed hashes; while something is
// being erased, also the ids and names to search for, encrypted with the privacy key.
package forgotten

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/erasure"
	"github.com/flashback-sync/flashback-sync/load/duckdb"
	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Path is the list's place below data_dir.
const Path = "state/forgotten.json"

// Entry is a person or conversation of the list.
type Entry struct {
	schema.Tombstone
	// Sealed are what the proof searches for, with encrypted texts. It drops them.
	Sealed []erasure.Needle `json:"sealed,omitempty"`
	// ProvenAt is when a search found nothing left; zero if none was made, or it found
	// something.
	ProvenAt time.Time `json:"proven_at,omitzero"`
	// Rows, Texts and Rejects count what was erased.
	Rows    int64 `json:"rows"`
	Texts   int64 `json:"texts"`
	Rejects int64 `json:"rejects"`
}

// List is the whole list.
type List struct {
	Format  int     `json:"format"` // 1
	Entries []Entry `json:"entries"`
}

const format = 1

// Read reads the list of data_dir. One that is not there is empty.
func Read(dir string) (*List, error) {
	content, err := durable.ReadFile(filepath.Join(dir, filepath.FromSlash(Path)))
	if errors.Is(err, fs.ErrNotExist) {
		return &List{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", Path, err)
	}
	var l List
	if json.Unmarshal(content, &l) != nil || l.Format != format { // its error would quote the text
		return nil, fmt.Errorf("read %s: it is damaged, or of a newer release", Path)
	}
	return &l, nil
}

// Write puts the list in its place.
func (l *List) Write(dir string) error {
	l.Format = format
	content, err := json.MarshalIndent(l, "", "  ")
	if err == nil {
		err = durable.Write(filepath.Join(dir, filepath.FromSlash(Path)), append(content, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", Path, err)
	}
	return nil
}

// Tombstones are those of the entries.
func (l *List) Tombstones() (all []schema.Tombstone) {
	for _, e := range l.Entries {
		all = append(all, e.Tombstone)
	}
	return all
}

// Find is the entry of the same person or conversation, or nil.
func (l *List) Find(t schema.Tombstone) *Entry {
	i := slices.IndexFunc(l.Entries, func(e Entry) bool { return e.Same(t) })
	if i < 0 {
		return nil
	}
	return &l.Entries[i]
}

// Add adds tombstones, and reports whether the list withholds more than before.
func (l *List) Add(all ...schema.Tombstone) (more bool) {
	for _, t := range all {
		e := l.Find(t)
		if e == nil {
			l.Entries = append(l.Entries, Entry{Tombstone: t})
			more = true
			continue
		}
		if !e.Covers(t) {
			e.Tombstone = schema.MergeTombstones([]schema.Tombstone{e.Tombstone}, t)[0]
			more = true
		}
	}
	return more
}

// Unfinished reports whether something is to be erased or proven that a warehouse with
// these applied tombstones has not erased, or whose proof is not complete.
func (l *List) Unfinished(applied []schema.Tombstone) bool {
	return slices.ContainsFunc(l.Entries, func(e Entry) bool {
		return len(e.Sealed) > 0 || e.Erases() && !slices.ContainsFunc(applied, func(t schema.Tombstone) bool { return t.Covers(e.Tombstone) })
	})
}

// KeyMissing says that there are tombstones, and not the key that they were made with.
type KeyMissing struct {
	KeyID string // of the tombstones
	Now   string // of the configuration; "" if it has no key
}

func (e *KeyMissing) Error() string {
	if e.Now == "" {
		return "somebody was forgotten or is suppressed, and the privacy key " + e.KeyID + " is not configured: their records would be stored again"
	}
	return fmt.Sprintf("somebody was forgotten or is suppressed with the privacy key %s, and the key now is %s: their records would be stored again", e.KeyID, e.Now)
}

// applied are the tombstones that a warehouse obeys.
type applied interface {
	Applied(ctx context.Context) ([]schema.Tombstone, error)
}

// Withheld is of whom nothing is stored.
type Withheld struct {
	*List
	// Policy withholds their records.
	Policy *transform.Policy
	// Unfinished: something is to be erased or proven still.
	Unfinished bool

	dir      string // data_dir
	unlisted bool   // the list lacked some
}

// Withhold reads the list, the manifest and the warehouse, since one of them may have been
// lost or restored.
func Withhold(ctx context.Context, dir, lakeDir string, policy *transform.Policy, stored applied) (*Withheld, error) {
	list, err := Read(dir)
	if err != nil {
		return nil, &duckdb.StorageError{Doing: "read who was forgotten", Err: err}
	}
	recorded, err := stored.Applied(ctx)
	if err != nil {
		return nil, err
	}
	w := &Withheld{List: list, Policy: policy, dir: dir}
	w.unlisted = list.Add(recorded...)
	if manifest, err := lake.ReadManifest(lakeDir); err == nil {
		w.unlisted = list.Add(manifest.Tombstones()...) || w.unlisted
	}
	if len(list.Entries) == 0 {
		return w, nil
	}
	for _, e := range list.Entries {
		if e.KeyID != policy.KeyID() {
			return nil, &KeyMissing{KeyID: e.KeyID, Now: policy.KeyID()}
		}
	}
	w.Policy = policy.Hiding(transform.HiddenBy(list.Tombstones()))
	w.Unfinished = list.Unfinished(recorded)
	return w, nil
}

// Complete adds those to the stored list whom it lacked.
func (w *Withheld) Complete() error {
	if !w.unlisted {
		return nil
	}
	return w.save()
}

func (w *Withheld) save() error {
	if err := w.Write(w.dir); err != nil {
		return &duckdb.StorageError{Doing: "record who is forgotten", Err: err}
	}
	return nil
}
