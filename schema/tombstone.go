package schema

import (
	"slices"
	"time"
)

// Tombstone says of whom records are not stored. It has keyed hashes, and nothing of the
// person. A privacy policy interprets it: see package transform.
type Tombstone struct {
	Kind string `json:"kind"` // User or Conversation
	Hash string `json:"hash"` // of the id
	// KeyID names the key of the hashes.
	KeyID string `json:"key_id"`
	// Since is from when on records are not stored; zero, always: what was stored is erased.
	Since time.Time `json:"since,omitzero"`
	// At is when this was decided.
	At time.Time `json:"at"`
	// Mentions are the id and the names: texts that have one of them are not stored.
	Mentions []Mention `json:"mentions,omitempty"`
}

// Erases reports whether what was stored is erased.
func (t Tombstone) Erases() bool { return t.Since.IsZero() }

// Same reports whether two tombstones are of the same person or conversation.
func (t Tombstone) Same(o Tombstone) bool {
	return t.Kind == o.Kind && t.Hash == o.Hash && t.KeyID == o.KeyID
}

// Covers reports whether everything that another tombstone withholds is withheld by this
// one, too.
func (t Tombstone) Covers(o Tombstone) bool {
	return t.Same(o) && !t.Since.After(o.Since) && !slices.ContainsFunc(o.Mentions, func(m Mention) bool { return !slices.Contains(t.Mentions, m) })
}

// Mention is a sequence of words, by keyed hashes.
type Mention struct {
	Words int    `json:"words"`
	First string `json:"first"` // of the first word
	Whole string `json:"whole"` // of all words
}

// MergeTombstones adds tombstones to a list that may have them already, and of which each
// withholds at least as much afterwards.
func MergeTombstones(all []Tombstone, more ...Tombstone) []Tombstone {
	all = slices.Clone(all)
	for _, t := range more {
		i := slices.IndexFunc(all, t.Same)
		if i < 0 {
			all = append(all, t)
			continue
		}
		if t.Since.Before(all[i].Since) {
			all[i].Since, all[i].At = t.Since, t.At
		}
		all[i].Mentions = slices.Clone(all[i].Mentions)
		for _, m := range t.Mentions {
			if !slices.Contains(all[i].Mentions, m) {
				all[i].Mentions = append(all[i].Mentions, m)
			}
		}
	}
	return all
}

// Entities are the kinds of a Tombstone.
var Entities = []string{User, Conversation}

// Identifying lists the columns with the ids of an entity, of all tables that have the
// source's rows.
func Identifying(entity string) (all []TableColumn) {
	for _, t := range treated() {
		for _, c := range t.Columns {
			if c.Entity == entity && c.IDOf == "" {
				all = append(all, TableColumn{t, c})
			}
		}
	}
	return all
}

// Mentioning lists the columns whose texts may mention somebody: texts, names and unknown
// fields. A row without such a value is a row still.
func (t *Table) Mentioning() (all []Column) {
	for _, c := range t.Columns {
		if !c.NotNull && !t.isKey(c.Name) && (c.Type == Text || c.Type == JSON) && c.Origin != Bookkeeping && (c.Privacy == Content || c.IDOf != "") {
			all = append(all, c)
		}
	}
	return all
}

// NamesUser reports whether the column names the user whose id is beside it. Such a name is
// no mention of somebody else who has the same one.
func (c Column) NamesUser() bool { return c.Entity == User && c.IDOf != "" }
