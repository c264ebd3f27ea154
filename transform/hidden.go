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
	// Texts has the rows of others whose texts are not stored: the hash of RowName of the
	// id as it is stored.
	Texts map[string]bool
	// Rejects has the rejects that are withheld: the hash of RowName of the record.
	Rejects map[string]bool
}

// RowName is what Hidden has the hash of, for a row's id or a reject's text.
func RowName(table, id string) string { return table + " " + id }

// Withholds reports whether there may be records that are not stored.
func (p *Policy) Withholds() bool { return p != nil && len(p.hidden.Since)+len(p.hidden.Rejects) > 0 }

// Hiding is the policy that withholds these records too. It must have a key.
func (p *Policy) Hiding(h Hidden) *Policy {
	more := *p
	more.hidden = h
	return &more
}

// withheld reports whether the decoded record is not to be stored.
func (d *decoder) withheld(timed int) bool {
	t := d.treater
	for _, c := range t.ids {
		s := &d.slots[c.at]
		if !s.set || t.again {
			continue
		}
		since, hidden := t.hidden.Since[c.Entity][t.hash(d.text(s))]
		if hidden && !time.UnixMicro(d.slots[timed].number).Before(since) {
			return true
		}
	}
	return false
}

// dropTexts drops the texts of a row that mentioned somebody hidden. The row is known by
// its id as it is stored.
func (d *decoder) dropTexts() {
	id, known := d.byName["id"]
	if !known || len(d.treater.hidden.Texts) == 0 ||
		!d.treater.hidden.Texts[d.treater.hash([]byte(RowName(d.treater.table, string(d.text(&d.slots[id])))))] {
		return
	}
	for i, c := range d.columns {
		if c.Privacy == schema.Content {
			d.slots[i] = slot{}
		}
	}
}

// withheldReject reports whether a record that cannot be decoded is not to be stored: it is
// hidden itself, or names somebody hidden. Its time may be unreadable, and does not count.
func (d *decoder) withheldReject(record []byte) bool {
	t := d.treater
	if t.again {
		return false
	}
	if len(t.hidden.Rejects) > 0 && t.hidden.Rejects[t.hash([]byte(RowName(t.table, string(record))))] {
		return true
	}
	for _, c := range t.ids {
		for _, id := range valuesOf(record, c.API) {
			if _, hidden := t.hidden.Since[c.Entity][t.hash(id)]; hidden {
				return true
			}
		}
	}
	return false
}

// valuesOf are the values of a field as far as the record can be read.
func valuesOf(record []byte, field string) (values [][]byte) {
	json := jsontext.NewDecoder(bytes.NewReader(record), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := json.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	for json.PeekKind() == '"' {
		name, err := json.ReadToken()
		if err != nil {
			return values
		}
		found := name.String() == field
		value, err := json.ReadValue()
		if err != nil {
			return values
		}
		if found {
			values = append(values, textOf(value))
		}
	}
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
