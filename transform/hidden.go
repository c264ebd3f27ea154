package transform

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flashback-sync/flashback-sync/schema"
)

// Hidden says whose records are not stored, by hashes of Policy.Hash.
type Hidden struct {
	// Since has, by entity and hash of an id, from when on records are withheld; a zero time
	// is always.
	Since map[string]map[string]time.Time
	// Mentions are what a text that is stored does not have.
	Mentions []schema.Mention
}

// RowName is what a fingerprint has the hash of, for a reject's text.
func RowName(table, id string) string { return table + " " + id }

// Withholds reports whether there may be records that are not stored.
func (p *Policy) Withholds() bool {
	return p != nil && len(p.hidden.Since)+len(p.hidden.Mentions) > 0
}

// Hiding is the policy that withholds these records too. It must have a key.
func (p *Policy) Hiding(h Hidden) *Policy {
	more := *p
	more.hidden = h
	return &more
}

// HiddenBy is what tombstones hide.
func HiddenBy(all []schema.Tombstone) Hidden {
	h := Hidden{Since: map[string]map[string]time.Time{}}
	for _, t := range all {
		if h.Since[t.Kind] == nil {
			h.Since[t.Kind] = map[string]time.Time{}
		}
		h.Since[t.Kind][t.Hash] = t.Since
		h.Mentions = append(h.Mentions, t.Mentions...)
	}
	return h
}

// Erased reports of a stored value of an id column whether it is that of somebody whose
// records are always withheld.
func (p *Policy) Erased(c schema.TableColumn) func(stored string) bool {
	with := p.Of(c.Table.Name, c.Column.Name)
	erased := map[string]bool{}
	for hash, since := range p.hidden.Since[c.Entity] {
		switch {
		case !since.IsZero():
		case with == schema.Pseudonym:
			erased[pseudonym(c.Entity, hash)] = true
		default:
			erased[hash] = true
		}
	}
	return func(stored string) bool {
		if with != schema.Hash && with != schema.Pseudonym {
			stored = p.Hash(stored)
		}
		return erased[stored]
	}
}

// ErasedReject reports of the text of a stored reject whether it names somebody whose
// records are always withheld, or mentions what no text has.
func (p *Policy) ErasedReject(stream *schema.Stream) func(raw string) bool {
	mentioned := p.Mentioned()
	erased := map[string]func(string) bool{} // by field
	for _, c := range stream.Table.Batch() {
		if p.hidden.Since[c.Entity] != nil && c.IDOf == "" && c.API != "" {
			erased[c.API] = p.Erased(schema.TableColumn{Table: stream.Table, Column: c})
		}
	}
	return func(raw string) bool {
		for field, is := range erased {
			for _, id := range valuesOf([]byte(raw), field) {
				if is(string(id)) {
					return true
				}
			}
		}
		return mentioned(raw)
	}
}

// withheld reports whether the decoded record is not to be stored.
func (d *decoder) withheld(timed int) bool {
	t := d.treater
	for _, c := range t.ids {
		s := &d.slots[c.at]
		if !s.set || t.again {
			continue
		}
		since, hidden := t.hidden.Since[c.Entity][t.hashes.of(d.text(s))]
		if hidden && !time.UnixMicro(d.slots[timed].number).Before(since) {
			return true
		}
	}
	return false
}

// dropMentions drops treated texts that mention somebody hidden.
func (d *decoder) dropMentions() {
	if d.treater.mentions == nil {
		return
	}
	for _, c := range d.treater.mentioning {
		s := &d.slots[c.at]
		if !s.set || c.NamesUser() && d.slots[c.of].set && d.slots[c.of].from < d.slots[c.of].to {
			continue
		}
		if d.treater.mentions.in(d.text(s)) {
			*s = slot{}
		}
	}
}

// withheldReject reports whether a record that cannot be decoded is not to be stored: it
// names somebody hidden. Its time may be unreadable, and does not count.
func (d *decoder) withheldReject(record []byte) bool {
	t := d.treater
	if t.again {
		return false
	}
	for _, c := range t.ids {
		for _, id := range valuesOf(record, c.API) {
			if _, hidden := t.hidden.Since[c.Entity][t.hashes.of(id)]; hidden {
				return true
			}
		}
	}
	return false
}

// valuesOf are the values of a field as far as the record can be read.
func valuesOf(record []byte, field string) (values [][]byte) {
	json := jsontext.NewDecoder(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_ = eachField(json, func(quoted, value jsontext.Value) error {
		if string(textOf(quoted)) == field {
			values = append(values, textOf(value))
		}
		return nil
	})
	return values
}

// textOf is the text of a JSON value: what is between the quotes of a string.
func textOf(value jsontext.Value) []byte {
	if value.Kind() == '"' {
		if text, err := jsontext.AppendUnquote(nil, value); err == nil {
			return text
		}
	}
	return append([]byte(nil), value...)
}
