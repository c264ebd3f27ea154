// Package forgotten erases those who are to be forgotten, and proves it, and lists whose
// records are not stored: state/forgotten.json. The list has keyed hashes; while something is
// being erased, also the ids and names to search for, encrypted with the privacy key.
package forgotten

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/flashback-sync/flashback-sync/load/durable"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Path is the list's place below data_dir.
const Path = "state/forgotten.json"

// Entry is a person or conversation of the list.
type Entry struct {
	schema.Tombstone
	// Sealed are encrypted texts that the proof searches for. It drops them.
	Sealed []Sealed `json:"sealed,omitempty"`
	// ProvenAt is when a search found nothing left; zero if none was made, or it found
	// something.
	ProvenAt time.Time `json:"proven_at,omitzero"`
	// Rows, Texts and Rejects count what was erased.
	Rows    int64 `json:"rows"`
	Texts   int64 `json:"texts"`
	Rejects int64 `json:"rejects"`
}

// Sealed is an encrypted text, and what it is.
type Sealed struct {
	Label string `json:"label"` // such as "name 1"
	Text  string `json:"text"`
	// Exact and Column are those of an erasure.Needle.
	Exact  bool   `json:"exact,omitempty"`
	Column string `json:"column,omitempty"`
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
